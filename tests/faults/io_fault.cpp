// Preloaded into fusetune: something goes wrong at the n-th write to a file. What counts is what
// changes a file or a folder: write, pwrite, ftruncate, rename, unlink.
//
//   IO_FAULT=ROLE:ACTION:N   ROLE supervisor or compile; ACTION
//     kill_before, kill_after   the process is killed before or behind the n-th
//     kill_torn                 it is killed when half of the bytes are written
//     full                      from the n-th on there is no space
//     count                     nothing; at the end the number goes to the file IO_FAULT_COUNT
//   IO_FAULT_ONCE=FILE: of all processes of the role one alone is killed, that which makes the file
//   IO_FAULT_CLOCK=1: the time of day jumps by a year at every look, there and back.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <string>

namespace {

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

std::string own_role() {
  char text[4096] = {};
  const int fd = ::open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  const ssize_t length = fd < 0 ? 0 : ::read(fd, text, sizeof text - 1);
  if (fd >= 0) ::close(fd);
  // fusetune worker ROLE ...: any other word in front is an option of the supervisor.
  const std::string all(text, length > 0 ? static_cast<size_t>(length) : 0);
  const size_t program = all.find('\0');
  const std::string rest = program == std::string::npos ? "" : all.substr(program + 1);
  if (all.substr(0, program).find("fusetune") == std::string::npos) return "other";
  if (strncmp(rest.c_str(), "worker", 7) != 0) return "supervisor";
  return rest.substr(7).c_str();
}

struct Plan {
  std::string action;
  long at = 0;
};

const Plan& plan() {
  static const Plan chosen = [] {
    const char* text = ::getenv("IO_FAULT");
    const std::string words = text == nullptr ? "" : text;
    const size_t first = words.find(':'), second = words.find(':', first + 1);
    if (second == std::string::npos || words.substr(0, first) != own_role()) return Plan{};
    return Plan{words.substr(first + 1, second - first - 1), ::atol(words.c_str() + second + 1)};
  }();
  return chosen;
}

std::atomic<long> changes{0};

[[gnu::destructor]] void tell_count() {
  if (plan().action != "count") return;
  if (FILE* file = ::fopen(::getenv("IO_FAULT_COUNT"), "w")) {
    ::fprintf(file, "%ld\n", changes.load());
    ::fclose(file);
  }
}

enum class Now { go_on, tear, fail };

/// Whether this process is the one to be killed.
bool is_chosen() {
  const char* file = ::getenv("IO_FAULT_ONCE");
  if (file == nullptr) return true;
  const int fd = ::open(file, O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}

/// What is to happen to this change.
Now before_change() {
  const Plan& todo = plan();
  if (todo.action.empty()) return Now::go_on;
  const long number = ++changes;
  if (todo.action == "full") return number >= todo.at ? Now::fail : Now::go_on;
  if (number != todo.at) return Now::go_on;
  if (todo.action == "kill_before" && is_chosen()) ::raise(SIGKILL);
  return todo.action == "kill_torn" && is_chosen() ? Now::tear : Now::go_on;
}

void after_change() {
  if (plan().action == "kill_after" && changes == plan().at && is_chosen()) ::raise(SIGKILL);
}

bool is_file(int fd) {
  struct stat state {};
  return ::fstat(fd, &state) == 0 && S_ISREG(state.st_mode);
}

/// `change(bytes)` writes so many of them.
template <class Change>
ssize_t change_file(int fd, size_t count, Change change) {
  const int kept = errno;
  if (plan().action.empty() || !is_file(fd)) return errno = kept, change(count);
  switch (before_change()) {
    case Now::fail:
      errno = ENOSPC;
      return -1;
    case Now::tear:
      change(count / 2);
      ::raise(SIGKILL);
      [[fallthrough]];
    case Now::go_on:
      break;
  }
  errno = kept;
  const ssize_t result = change(count);
  after_change();
  return result;
}

/// A change that is whole or not at all.
template <class Change>
int change_name(Change change) {
  const Now now = before_change();
  if (now == Now::fail) {
    errno = ENOSPC;
    return -1;
  }
  if (now == Now::tear) ::raise(SIGKILL);
  const int result = change();
  after_change();
  return result;
}

/// To be added to the time of day.
long jump_s() {
  static const bool jumps = ::getenv("IO_FAULT_CLOCK") != nullptr;
  static std::atomic<long> looks{0};
  return jumps && looks++ % 2 == 1 ? 365L * 24 * 3600 : 0;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, struct timespec* now) noexcept {
  static const auto real = next<int (*)(clockid_t, struct timespec*)>("clock_gettime");
  const int result = real(clock, now);
  if (result == 0 && clock == CLOCK_REALTIME) now->tv_sec += jump_s();
  return result;
}

int gettimeofday(struct timeval* now, void* zone) noexcept {
  static const auto real = next<int (*)(struct timeval*, void*)>("gettimeofday");
  const int result = real(now, zone);
  if (result == 0) now->tv_sec += jump_s();
  return result;
}

ssize_t write(int fd, const void* data, size_t count) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t)>("write");
  return change_file(fd, count, [&](size_t bytes) { return real(fd, data, bytes); });
}

ssize_t pwrite64(int fd, const void* data, size_t count, off64_t at) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  return change_file(fd, count, [&](size_t bytes) { return real(fd, data, bytes, at); });
}

ssize_t pwrite(int fd, const void* data, size_t count, off_t at) {
  return pwrite64(fd, data, count, at);
}

int ftruncate64(int fd, off64_t size) noexcept {
  static const auto real = next<int (*)(int, off64_t)>("ftruncate64");
  return change_name([&] { return real(fd, size); });
}

int ftruncate(int fd, off_t size) noexcept { return ftruncate64(fd, size); }

int rename(const char* from, const char* to) noexcept {
  static const auto real = next<int (*)(const char*, const char*)>("rename");
  return change_name([&] { return real(from, to); });
}

int unlink(const char* path) noexcept {
  static const auto real = next<int (*)(const char*)>("unlink");
  // Making room succeeds on a full disk.
  if (plan().action == "full") return real(path);
  return change_name([&] { return real(path); });
}
}

// A worker for the tests of the process stage: it does what its request says, however bad.

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "harness/process/channel.hpp"
#include "harness/process/step_note.hpp"
#include "harness/process/subprocess.hpp"
#include "harness/process/worker_pool.hpp"

namespace {

using fusetune::Json;

int in_fd = -1;
int out_fd = -1;
int note_fd = -1;
std::string scratch;
bool slow_to_leave = false;

void sleep_ms(int duration_ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(duration_ms));
}

/// A grandchild that outlives its parent unless somebody kills it. `group`: it leaves the group.
pid_t spawn_grandchild(bool group) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (group) ::setpgid(0, 0);
    for (;;) ::pause();
  }
  return pid;
}

std::vector<int> open_fds() {
  std::vector<int> fds;
  for (int fd = 0; fd < 1024; ++fd)
    if (::fcntl(fd, F_GETFD) >= 0) fds.push_back(fd);
  return fds;
}

Json describe_self() {
  rlimit limit{};
  ::getrlimit(RLIMIT_AS, &limit);
  char target[64] = {};
  const ssize_t length = ::readlink("/proc/self/fd/0", target, sizeof target - 1);
  struct sigaction pipe_action {};
  ::sigaction(SIGPIPE, nullptr, &pipe_action);
  return {
      {"pid", ::getpid()},
      {"group", ::getpgid(0)},
      {"fds", open_fds()},
      {"stdin", std::string(target, length > 0 ? static_cast<std::size_t>(length) : 0)},
      {"pipes_close_on_exec", (::fcntl(in_fd, F_GETFD) & ::fcntl(out_fd, F_GETFD)) == FD_CLOEXEC},
      {"sigpipe_ignored", pipe_action.sa_handler == SIG_IGN},
      {"address_space_bytes", limit.rlim_cur}};
}

void write_raw(const std::string& bytes) {
  [[maybe_unused]] const ssize_t n = ::write(out_fd, bytes.data(), bytes.size());
}

Json misbehave(const std::string& act, const Json& request) {
  if (act == "abort") ::abort();
  if (act == "segfault") {
    ::signal(SIGSEGV, SIG_DFL);  // a sanitizer would turn it into an exit
    ::raise(SIGSEGV);
  }
  if (act == "exit") ::_exit(request.value("code", 3));
  if (act == "hang") {
    for (;;) ::pause();
  }
  if (act == "hang_ignoring_sigterm") {
    ::signal(SIGTERM, SIG_IGN);
    for (;;) ::pause();
  }
  if (act == "broken_frame") write_raw(std::string("\x05\0\0\0\0\0\0\0{oops", 13));
  if (act == "huge_frame") write_raw(std::string(8, '\x7f'));
  if (act == "unknown_message") write_raw(std::string("\x0c\0\0\0\0\0\0\0{\"other\": 1}", 20));
  if (act == "close_pipe") ::close(out_fd);
  sleep_ms(60000);
  return nullptr;
}

/// Appends when it begins and ends to a file that all workers share; `until` is a line that it
/// waits for in between.
Json log_times(const Json& request) {
  const std::string file = request["log"];
  const auto append = [&](const char* what) {
    std::ofstream(file, std::ios::app) << what << ' ' << request["name"].get<std::string>() << '\n';
  };
  append("begin");
  const std::string until = request.value("until", "");
  for (int tries = 0; !until.empty() && tries < 4000; ++tries) {
    std::ifstream stream(file);
    const std::string text(std::istreambuf_iterator<char>(stream), {});
    if (text.find(until + '\n') != std::string::npos) break;
    sleep_ms(5);
  }
  sleep_ms(request.value("duration_ms", 0));
  append("end");
  return request;
}

/// For a test that looks into the file that it named.
void tell(const Json& request, const std::string& what) {
  std::ofstream(request.at("tell").get<std::string>(), std::ios::app) << what << std::endl;
}

/// Notes `steps` steps of `step_ms` each, numbered on from `first`, and rests for `rest_ms` after
/// each, where that is given, and counts them; in the end it does `then`.
Json make_notes(const Json& request, fusetune::NotePage& page) {
  const int steps = request["steps"].get<int>();
  for (int i = 0; i < steps; ++i) {
    page.count(i, steps - i);
    page.write(request.value("first", 0) + i,
               std::chrono::milliseconds(request.value("expected_ms", 0)));
    sleep_ms(request.value("step_ms", 0));
    if (!request.contains("rest_ms")) continue;
    page.rest(request.value("first", 0) + i,
              std::chrono::milliseconds(request.value("rest_limit_ms", 0)));
    sleep_ms(request["rest_ms"]);
  }
  return request["then"] == "answer" ? request : misbehave(request["then"], request);
}

/// Whether the request's marker file was there; it is now.
bool was_here(const Json& request) {
  const std::string marker = request["marker"];
  const bool known = ::access(marker.c_str(), F_OK) == 0;
  std::ofstream(marker) << "x";
  return known;
}

Json handle(const Json& request, fusetune::NotePage& page) {
  const std::string act = request.value("act", "echo");
  if (request.contains("print")) {
    const std::string text = request["print"];
    [[maybe_unused]] const ssize_t n = ::write(STDERR_FILENO, text.data(), text.size());
  }
  if (act == "litter") {
    std::ofstream(scratch + "/half-written.o") << "x";
    tell(request, scratch);
    return misbehave(request["then"], request);
  }
  if (act == "echo") return request;
  if (act == "log") return log_times(request);
  if (act == "sleep") {
    sleep_ms(request["duration_ms"]);
    return request;
  }
  if (act == "burst") {  // more messages at once than anybody takes in one go
    std::string frames;
    for (int i = 0; i < 700; ++i) frames += fusetune::Channel::frame({{"answer", i}});
    write_raw(frames);
    return "done";
  }
  if (act == "hang" && request.contains("tell")) tell(request, std::to_string(::getpid()));
  if (act == "note") return make_notes(request, page);
  if (act == "once") return was_here(request) ? request : misbehave(request["then"], request);
  if (act == "throw") throw std::runtime_error("no such kernel");
  if (act == "self") return describe_self();
  if (act == "grandchild") {
    tell(request, std::to_string(spawn_grandchild(request.value("own_group", false))));
    return misbehave(request["then"], request);
  }
  if (act == "subprocess") {
    fusetune::run_process({"/bin/sh", "-c", request["script"]}, std::chrono::minutes(1));
    return "done";
  }
  if (act == "allocate") return std::string(request["bytes"].get<std::size_t>(), 'x').size();
  if (act == "answer_then_die") {
    // It never reads the next request, as when a driver's clean-up crashes after the answer.
    ::close(in_fd);
    slow_to_leave = true;
    return "last words";
  }
  return misbehave(act, request);
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--die-at-start") {
      std::fprintf(stderr, "no device here\n");
      return 7;
    }
    if (argument == "--die-without" && i + 1 < argc && !was_here({{"marker", argv[++i]}})) return 7;
    if (argument == "--in-fd" && i + 1 < argc) in_fd = std::stoi(argv[++i]);
    if (argument == "--out-fd" && i + 1 < argc) out_fd = std::stoi(argv[++i]);
    if (argument == "--note-fd" && i + 1 < argc) note_fd = std::stoi(argv[++i]);
    if (argument == "--scratch" && i + 1 < argc) scratch = argv[++i];
  }
  fusetune::NotePage page(note_fd);
  const int code = fusetune::serve_worker(
      in_fd, out_fd, page, [&](const Json& request) { return handle(request, page); });
  if (slow_to_leave) sleep_ms(20);
  return code;
}

#include "harness/store/store_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "harness/base/error.hpp"

namespace fusetune {

namespace {

std::string read_holder(int fd) {
  char text[32] = {};
  const ssize_t length = ::pread(fd, text, sizeof text - 1, 0);
  const std::string all(text, length > 0 ? static_cast<std::size_t>(length) : 0);
  return all.substr(0, all.find_first_not_of("0123456789"));
}

void write_holder(int fd) {
  // The name of the holder is a courtesy to the next one; the lock holds without it.
  const std::string text = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd, 0) == 0) [[maybe_unused]]
    const ssize_t n = ::pwrite(fd, text.data(), text.size(), 0);
}

}  // namespace

std::optional<StoreLock> StoreLock::try_take(const std::filesystem::path& file,
                                             std::string* holder) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0)
    throw UserError(fmt::format(
        "cannot write {}: {}; make its folder writable, or give another folder with --store",
        file.string(), std::strerror(errno)));
  StoreLock lock(fd);
  int code = 0;
  do code = ::flock(fd, LOCK_EX | LOCK_NB);
  while (code != 0 && errno == EINTR);
  if (code != 0 && errno == EWOULDBLOCK) {
    *holder = read_holder(fd);
    return std::nullopt;
  }
  if (code != 0)
    throw UserError(fmt::format("cannot lock {}: {}; give a folder on a local disk with --store",
                                file.string(), std::strerror(errno)));
  write_holder(fd);
  return lock;
}

StoreLock::StoreLock(StoreLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

StoreLock::~StoreLock() {
  if (fd_ >= 0) ::close(fd_);  // which unlocks
}

}  // namespace fusetune

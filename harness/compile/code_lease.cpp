#include "harness/compile/code_lease.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "harness/base/error.hpp"

namespace fusetune {

namespace fs = std::filesystem;

namespace {

constexpr const char* kLockName = "lock";

fs::path leases_folder(const fs::path& root) { return root / "leases"; }

/// A locked file, or -1. Where a file system knows no locks, leases do not keep entries from being
/// evicted; they are compiled again then.
int open_locked(const fs::path& file, int how) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0)
    throw UserError(
        fmt::format("cannot write {}: {}; make its folder writable, or give another with --store",
                    file.string(), std::strerror(errno)));
  int code = 0;
  do code = ::flock(fd, how);
  while (code != 0 && errno == EINTR);
  if (code == 0 || errno != EWOULDBLOCK) return fd;
  ::close(fd);
  return -1;
}

void make_leases_folder(const fs::path& root) {
  std::error_code error;
  fs::create_directories(leases_folder(root), error);
  if (error)
    throw UserError(fmt::format("cannot create the folder {}: {}; give another with --store",
                                leases_folder(root).string(), error.message()));
}

}  // namespace

CodeLease::CodeLease(const fs::path& root) {
  static std::atomic<int> count{0};
  make_leases_folder(root);
  const fs::path folder = leases_folder(root);
  const int eviction = open_locked(folder / kLockName, LOCK_SH);
  file_ = folder / fmt::format("{}-{}", ::getpid(), count++);
  fd_ = open_locked(file_, LOCK_EX | LOCK_NB);
  ::futimens(fd_, nullptr);  // left by a process of the same number it may be old
  std::error_code ignored;
  since_ = fs::last_write_time(file_, ignored);
  ::close(eviction);
}

CodeLease::~CodeLease() {
  std::error_code ignored;
  fs::remove(file_, ignored);
  if (fd_ >= 0) ::close(fd_);
}

void CodeLease::mark_used(const fs::path& entry) const {
  std::error_code error;
  const fs::file_time_type used = fs::last_write_time(entry, error);
  if (error || used >= since_) return;
  // A clock that was set back must not make it older than the lease.
  fs::last_write_time(entry, std::max(since_, fs::file_time_type::clock::now()), error);
}

EvictionLock::EvictionLock(const fs::path& root) {
  make_leases_folder(root);
  const fs::path folder = leases_folder(root);
  fd_ = open_locked(folder / kLockName, LOCK_EX);
  std::error_code error;
  for (const auto& item : fs::directory_iterator(folder, error)) {
    const std::string name = item.path().filename().string();
    if (name == kLockName) continue;
    if (const int free = open_locked(item.path(), LOCK_EX | LOCK_NB); free >= 0) {
      ::close(free);
      fs::remove(item.path(), error);
      continue;
    }
    const fs::file_time_type since = fs::last_write_time(item.path(), error);
    if (error) continue;
    since_ = std::min(since_.value_or(since), since);
    user_ = name.substr(0, name.find('-'));
  }
}

EvictionLock::~EvictionLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace fusetune

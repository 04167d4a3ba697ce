#include "harness/process/fd.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace fusetune {

namespace {

/// Holds SIGPIPE back in this thread. The process-wide disposition belongs to the program, not to a
/// library.
class SigpipeBlocked {
 public:
  SigpipeBlocked() {
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    sigemptyset(&set_);
    sigaddset(&set_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set_, &previous_);
  }
  ~SigpipeBlocked() {
    if (raised_ && !was_pending_) {
      const timespec none{};
      while (sigtimedwait(&set_, nullptr, &none) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
  }
  SigpipeBlocked(const SigpipeBlocked&) = delete;
  SigpipeBlocked& operator=(const SigpipeBlocked&) = delete;

  void raised() { raised_ = true; }

 private:
  sigset_t set_{};
  sigset_t previous_{};
  bool was_pending_ = false;
  bool raised_ = false;
};

}  // namespace

FileDescriptor above_standard_streams(FileDescriptor fd) {
  if (fd.get() > STDERR_FILENO) return fd;
  FileDescriptor moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!moved.is_open()) throw std::system_error(errno, std::generic_category(), "F_DUPFD_CLOEXEC");
  return moved;
}

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "pipe");
  FileDescriptor read_end(ends[0]);
  FileDescriptor write_end(ends[1]);
  return {above_standard_streams(std::move(read_end)),
          above_standard_streams(std::move(write_end))};
}

void open_standard_streams() {
  int fd = ::open("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= STDERR_FILENO) fd = ::dup(fd);
  if (fd >= 0) ::close(fd);
}

void set_nonblocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

std::ptrdiff_t write_some(int fd, std::string_view bytes) {
  int error = 0;
  ssize_t n = 0;
  {
    SigpipeBlocked guard;
    do n = ::write(fd, bytes.data(), bytes.size());
    while (n < 0 && errno == EINTR);
    error = errno;
    if (n < 0 && error == EPIPE) guard.raised();
  }
  errno = error;
  return n;
}

ReadState read_available(int fd, std::string& into, std::size_t most_bytes) {
  std::array<char, 65536> block;
  while (most_bytes > 0) {
    const ssize_t n = ::read(fd, block.data(), std::min(block.size(), most_bytes));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return ReadState::open;
    if (n <= 0) return ReadState::closed;
    into.append(block.data(), static_cast<std::size_t>(n));
    most_bytes -= static_cast<std::size_t>(n);
  }
  return ReadState::open;
}

}  // namespace fusetune

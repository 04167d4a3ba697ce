#include "harness/process/subprocess.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "harness/process/fd.hpp"
#include "harness/process/spawn.hpp"

namespace fusetune {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kKeptBytes = 1 << 20;
// How often a process that holds its output open, or closed it early, is asked whether it ended.
constexpr milliseconds kTick{10};
// A limit that means "never" must not overflow the clock.
constexpr milliseconds kLongest = std::chrono::hours(24 * 365);
// A killed process is normally gone at once; one that hangs in a driver is left behind.
constexpr milliseconds kKillWait{5000};

/// Reads all that is there, so that the child never blocks, and keeps the first part.
class OutputReader {
 public:
  explicit OutputReader(FileDescriptor fd) : fd_(std::move(fd)) { set_nonblocking(fd_.get()); }

  void read() {
    if (!fd_.is_open()) return;
    std::string block;
    if (read_available(fd_.get(), block, kKeptBytes) == ReadState::closed) fd_.close();
    kept_.append(block, 0, kKeptBytes - kept_.size());
  }
  /// Waits for output or its end, up to `limit`.
  void wait(milliseconds limit) const {
    pollfd entry{fd_.get(), POLLIN, 0};  // poll() skips a negative descriptor
    ::poll(&entry, 1, static_cast<int>(limit.count()));
  }
  bool is_open() const { return fd_.is_open(); }
  std::string take() { return std::move(kept_); }

 private:
  FileDescriptor fd_;
  std::string kept_;
};

}  // namespace

ProcessResult run_process(const std::vector<std::string>& arguments, milliseconds limit,
                          const std::filesystem::path& directory) {
  const auto deadline = Clock::now() + std::min<milliseconds>(limit, kLongest);
  Pipe output = make_pipe();
  SpawnRequest request;
  request.arguments = arguments;
  request.directory = directory;
  request.output_fd = output.write.get();
  const Spawned child = spawn(request);
  ProcessResult result;
  if (child.pid < 0) {
    result.exit_code = 127;  // what a shell returns for it
    result.output = child.error;
    return result;
  }
  output.write.close();

  OutputReader reader(std::move(output.read));
  while (!has_exited(child.pid)) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    if (left <= milliseconds(0)) {
      result.timed_out = true;
      break;
    }
    reader.wait(std::min(left, reader.is_open() ? kTick : milliseconds(1)));
    reader.read();
  }
  kill_group(child.pid);  // what it left behind, too
  const auto state = reap(child.pid, kKillWait);
  reader.read();
  if (state && !result.timed_out) {
    result.exit_code = state->exit_code;
    result.signal = state->signal;
  }
  result.output = reader.take();
  return result;
}

std::filesystem::path self_path() {
  std::error_code error;
  std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) throw std::runtime_error("cannot read /proc/self/exe: " + error.message());
  // Replaced while it runs (a new build): the link still starts this very program.
  if (!std::filesystem::exists(path, error)) return "/proc/self/exe";
  return path;
}

}  // namespace fusetune

#pragma once
// One worker process as the supervisor sees it: its pipes, its last output, its end.

#include <poll.h>
#include <sys/types.h>

#include <array>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "harness/base/temporary_folder.hpp"
#include "harness/process/channel.hpp"
#include "harness/process/fd.hpp"
#include "harness/process/spawn.hpp"
#include "harness/process/step_note.hpp"
#include "harness/process/worker_pool.hpp"

namespace fusetune {

/// The last few KiB of what a process printed, cut at a line.
class OutputTail {
 public:
  void append(std::string_view text);
  void clear();
  std::string text() const;

 private:
  std::string tail_;
  bool cut_ = false;
};

class Worker {
 public:
  /// Nothing when it could not be started; `error` then says why.
  static std::unique_ptr<Worker> start(const WorkerPoolOptions& options, std::string* error);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Descriptors to wait for: messages, output, room for the request.
  std::array<pollfd, 3> poll_entries() const;

  /// Queued; flush() writes without blocking.
  void send(const Job& job);
  void flush();
  void drain_output();
  bool has_exited() const { return fusetune::has_exited(pid_); }
  Channel& channel() { return channel_; }
  OutputTail& output() { return output_; }
  NotePage& note() { return *note_; }
  pid_t pid() const { return pid_; }

  /// Asks an idle worker to leave, by closing its requests.
  void close_requests() { requests_.close(); }
  void kill() { kill_session(pid_); }
  /// Reaps it, killing it and its descendants after `grace`. Nothing when the kernel does not let
  /// go of it in time; the pid then remains to be reaped.
  std::optional<ExitState> end(std::chrono::milliseconds grace);

 private:
  Worker(pid_t pid, TemporaryFolder scratch, std::unique_ptr<NotePage> note,
         FileDescriptor requests, FileDescriptor answers, FileDescriptor output);

  TemporaryFolder scratch_;  ///< goes when the worker has gone, however it ended
  std::unique_ptr<NotePage> note_;
  pid_t pid_;
  bool ended_ = false;
  FileDescriptor requests_;
  FileDescriptor answers_;
  FileDescriptor output_fd_;
  Channel channel_;
  std::set<std::string> shared_;  ///< keys of the parts that it was sent
  std::string unsent_;
  OutputTail output_;
};

}  // namespace fusetune

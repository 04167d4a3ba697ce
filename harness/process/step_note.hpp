#pragma once
// What a worker is doing, written into memory that it shares with its supervisor. A note costs no
// system call and wakes nobody up, so it may be made between two samples of a race, and it is still
// there when the worker is not: it tells at what that died. A worker that ran wild may have written
// anything: what is read has a range that one can reckon with.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>

#include "harness/base/file_descriptor.hpp"

namespace fusetune {

struct StepNote {
  std::int64_t subject = 0;  ///< whatever the job numbers its steps by
  std::chrono::steady_clock::time_point since;
  std::chrono::microseconds expected{0};  ///< that it takes, 0: unknown
  bool resting = false;  ///< nothing of the subject runs now, for `expected` at most: see rest()
  std::int64_t done = 0, left = 0;  ///< of the job, in whatever it counts: see count()
};

/// The memory of one note.
class NotePage {
 public:
  /// Throws std::system_error.
  NotePage();
  /// That of a supervisor; the descriptor is closed. Throws std::system_error.
  explicit NotePage(int fd);
  ~NotePage();
  NotePage(const NotePage&) = delete;
  NotePage& operator=(const NotePage&) = delete;

  /// For the worker, while it is started.
  int fd() const { return file_.get(); }
  void close_fd() { file_.close(); }

  // The worker's side.
  void begin_job();
  /// Ends the step before.
  void write(std::int64_t subject, std::chrono::microseconds expected);
  /// What was noted stays to be read.
  void end_step();
  /// Ends the step before. Until the next one the worker does what says nothing of how long a step
  /// takes, and has a limit of its own; its end is blamed on this subject.
  void rest(std::int64_t subject, std::chrono::microseconds at_most);
  /// How far the job is, for whoever watches; it goes with the notes to come.
  void count(std::int64_t done, std::int64_t left);

  // The supervisor's side.
  /// Before a job is sent.
  void clear();
  /// The last step, nothing when none was noted.
  std::optional<StepNote> read() const;
  /// Ever, by this worker.
  std::int64_t jobs_begun() const;
  /// Of the steps that ended since the page was cleared, 0: none did.
  std::chrono::microseconds slowest_step() const;

 private:
  struct Shared;
  void map(int fd);

  FileDescriptor file_;
  Shared* shared_ = nullptr;
};

}  // namespace fusetune

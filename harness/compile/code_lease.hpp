#pragma once
// Who uses a code-object store: what a run has used since it began is not evicted while it lives.
// A lease is a locked file below <root>/leases; the kernel unlocks it when its process dies,
// however it dies. An entry's modification time says when it was last used, and is written at most
// once per run.

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace fusetune {

class CodeLease {
 public:
  /// Waits for an eviction that is under way. Throws UserError when the folder refuses.
  explicit CodeLease(const std::filesystem::path& root);
  ~CodeLease();
  CodeLease(const CodeLease&) = delete;
  CodeLease& operator=(const CodeLease&) = delete;

  void mark_used(const std::filesystem::path& entry) const;

 private:
  std::filesystem::path file_;
  std::filesystem::file_time_type since_;
  int fd_ = -1;
};

/// Held while entries are evicted: no run can begin to use what is about to go.
class EvictionLock {
 public:
  /// Waits for another eviction. Removes the leases of processes that died.
  explicit EvictionLock(const std::filesystem::path& root);
  ~EvictionLock();
  EvictionLock(const EvictionLock&) = delete;
  EvictionLock& operator=(const EvictionLock&) = delete;

  /// What was used at or after this time belongs to a run; nothing when there is none.
  std::optional<std::filesystem::file_time_type> used_since() const { return since_; }
  /// The process of one such run.
  const std::string& user() const { return user_; }

 private:
  int fd_;
  std::optional<std::filesystem::file_time_type> since_;
  std::string user_;
};

}  // namespace fusetune

#pragma once
// Everything that was observed, in one SQLite file (schema version 1). WAL, one transaction per
// finished step: what is in it survives kill -9. Steps are found again by content keys, so a
// campaign continues and a second run does nothing.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/json.hpp"
#include "harness/base/status.hpp"

namespace fusetune {

/// One finished step of any kind. `key` is unique within `kind`: inserting it twice is an error, so
/// no step can be recorded as done twice.
struct StepRecord {
  enum class Kind { compile, proof, race, traffic } kind = Kind::compile;
  std::string key;      ///< content key: what was done
  std::string subject;  ///< for people: "case | variant | target"
  Status status = Status::ok;
  std::string message;
  Json data;  ///< facts, checks, samples
  double wall_ms = 0;
  std::int64_t run = 0;  ///< the process run that did it, filled by the store
};

std::string_view to_string(StepRecord::Kind kind);

class RecordStore {
 public:
  /// Opens or creates `<root>/records.sqlite`. Throws UserError: not writable, damaged, a newer
  /// schema, or in use by another run
  /// (`exclusive`; the message names its process id). Without `exclusive` it is for reading only,
  /// and works while another process writes.
  static RecordStore open(const std::filesystem::path& root, bool exclusive);
  ~RecordStore();
  RecordStore(RecordStore&&) noexcept;
  RecordStore& operator=(RecordStore&&) noexcept;

  /// Registers this process run under a campaign (created when new). Returns the run's number.
  std::int64_t begin_run(std::string_view campaign_key, std::string_view name, const Json& plan);
  /// Marks the run as ended; one without this was killed.
  void end_run(std::string_view how);

  std::optional<StepRecord> find(StepRecord::Kind kind, std::string_view key) const;
  /// One durable transaction, within a run. Throws std::logic_error when the step is already there.
  /// Numbers in `data` that are not finite are stored as null: JSON has no others.
  void add(const StepRecord& step);
  /// Removes a step so that it may be tried again (failures of `--retry-failed`).
  void forget(StepRecord::Kind kind, std::string_view key);

  std::vector<StepRecord> all(StepRecord::Kind kind) const;
  std::int64_t count(StepRecord::Kind kind) const;

  /// SQLite's integrity check; "" when sound.
  std::string integrity() const;

  const std::filesystem::path& path() const;

 private:
  struct Impl;
  explicit RecordStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fusetune

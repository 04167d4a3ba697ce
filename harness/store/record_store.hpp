#pragma once
// Everything that was observed, in one SQLite file. WAL, one transaction per finished step: what is
// in it survives kill -9. Steps are found again by content keys, so a campaign continues and a
// second run does nothing. Every row carries a checksum: a damaged one is named and never used.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/store/records.hpp"

namespace fusetune {

class RecordStore {
 public:
  /// Opens or creates `<root>/records.sqlite`, and brings an older schema to the present one.
  /// Throws UserError: not writable, damaged, a newer schema, or in use by another run
  /// (`exclusive`; the message names its process id). Without `exclusive` it is for reading only,
  /// and works while another process writes.
  static RecordStore open(const std::filesystem::path& root, bool exclusive);
  ~RecordStore();
  RecordStore(RecordStore&&) noexcept;
  RecordStore& operator=(RecordStore&&) noexcept;

  /// Told, in a sentence, of each damaged row that a read meets. Such a row is as good as absent;
  /// a writer removes it, so that its step can be done again. Default: the message goes to stderr.
  void on_damage(std::function<void(const std::string&)> told);

  /// Registers this process run under a campaign (created when new). Returns the run's number.
  std::int64_t begin_run(std::string_view campaign_key, std::string_view name, const Json& plan);
  /// Marks the run as ended; one without this was killed.
  void end_run(std::string_view how);

  std::optional<StepRecord> find(StepRecord::Kind kind, std::string_view key) const;
  /// One durable transaction, within a run. Throws std::logic_error when the step is already there.
  /// Numbers in `data` that are not finite are stored as null: JSON has no others.
  void add(StepRecord step);
  /// Audits earlier runs' steps that `chosen` names: find() hides them, so that they are done
  /// again, and add() gives what came out to `compare`, with what is recorded, and keeps the
  /// record. With empty functions it ends.
  void audit(std::function<bool(const StepRecord&)> chosen,
             std::function<void(const StepRecord& recorded, const StepRecord& fresh)> compare);

  /// Removes a step so that it may be tried again (failures of `--retry-failed`).
  void forget(StepRecord::Kind kind, std::string_view key);
  void add_death(const WorkerDeath& death);

  std::vector<StepRecord> all(StepRecord::Kind kind) const;
  std::int64_t count(StepRecord::Kind kind) const;
  /// Everything, in order of addition.
  RecordSet everything() const;

  /// Takes in what is not there yet, in one transaction. `set` came from `name`. A step that is
  /// there with another status, message or data is a conflict: adds a sentence that names both to
  /// the result. Steps done twice with one outcome are one step: the first counts.
  struct MergeResult {
    std::int64_t runs = 0, steps = 0, deaths = 0;  ///< taken in
    std::int64_t known = 0;                        ///< steps that were there
    std::vector<std::string> conflicts;
  };
  /// All sets or none: with any conflict nothing is changed.
  MergeResult merge(const std::vector<std::pair<std::string, RecordSet>>& sets);

  /// SQLite's integrity check; "" when sound. It has passed once when the store was opened.
  std::string integrity() const;

  const std::filesystem::path& path() const;

 private:
  struct Impl;
  explicit RecordStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// What can still be read of a store that open() refuses as damaged: rows whose checksum fits.
/// `left_out` is told of the others.
RecordSet salvage_records(const std::filesystem::path& root,
                          const std::function<void(const std::string&)>& left_out);

}  // namespace fusetune

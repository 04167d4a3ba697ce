#pragma once
// Rows of the tables as records and back. A row whose checksum does not fit is named and left out,
// never given back.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/store/records.hpp"
#include "harness/store/sqlite.hpp"

namespace fusetune {

/// The first columns of a SELECT as a record, in the order of its members without the checksum.
/// Nothing where a kind, a status or JSON is none.
std::optional<CampaignRecord> read_campaign(const sqlite::Statement& row);
RunRecord read_run(const sqlite::Statement& row);
std::optional<StepRecord> read_step(const sqlite::Statement& row);

class RecordRows {
 public:
  /// The tables have the present schema.
  explicit RecordRows(sqlite::Database& database);

  /// Told of each damaged row that is met: "proof step 'key' (subject)".
  using OnDamage = std::function<void(const std::string& what)>;

  /// In place of the row of this key, which may be a damaged one.
  void put(const CampaignRecord& campaign);
  /// In place of the row of this uid. The row's id, which `run.id` need not be.
  std::int64_t put(const RunRecord& run);
  /// False when the step is there already.
  bool insert(const StepRecord& step);
  void insert(const WorkerDeath& death);

  std::optional<StepRecord> step(StepRecord::Kind kind, std::string_view key,
                                 const OnDamage& damaged);
  void remove_step(StepRecord::Kind kind, std::string_view key);
  std::optional<CampaignRecord> campaign(std::string_view key, const OnDamage& damaged);

  enum class Order { first_to_last, last_to_first };
  /// These append, in order of addition: what was read before an error is kept.
  void campaigns(std::vector<CampaignRecord>& into, const OnDamage& damaged);
  void runs(std::vector<RunRecord>& into, const OnDamage& damaged);
  void steps(std::vector<StepRecord>& into, const OnDamage& damaged,
             Order order = Order::first_to_last);
  void steps(StepRecord::Kind kind, std::vector<StepRecord>& into, const OnDamage& damaged);
  void deaths(std::vector<WorkerDeath>& into, const OnDamage& damaged);
  std::int64_t count(StepRecord::Kind kind);

 private:
  sqlite::Database& database_;
  sqlite::Statement put_campaign_, put_run_, insert_step_, insert_death_;
  sqlite::Statement remove_step_, one_step_, one_campaign_;
  sqlite::Statement steps_of_kind_, count_;
};

/// UTC with milliseconds, "2026-01-31T12:00:00.000Z".
std::string utc_now();

}  // namespace fusetune

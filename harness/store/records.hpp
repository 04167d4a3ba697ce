#pragma once
// What the record store holds, as plain data.

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/json.hpp"
#include "harness/base/status.hpp"

namespace fusetune {

/// One finished step of any kind. `key` is unique within `kind`: inserting it twice is an error, so
/// no step can be recorded as done twice.
struct StepRecord {
  /// `search`: times of a batch, by which a search chose what to try next.
  enum class Kind { compile, proof, race, traffic, search } kind = Kind::compile;
  std::string key;      ///< content key: what was done
  std::string subject;  ///< for people: "case | variant | target"
  Status status = Status::ok;
  std::string message;
  Json data;  ///< facts, checks, samples
  double wall_ms = 0;
  std::int64_t run = 0;  ///< the process run that did it, filled by the store
  std::string finished;  ///< UTC, filled by the store
};

std::string_view to_string(StepRecord::Kind kind);
/// Throws UserError that lists the kinds.
StepRecord::Kind parse_step_kind(std::string_view name);
std::vector<StepRecord::Kind> step_kinds();

struct CampaignRecord {
  std::string key;
  std::string name;
  Json plan;
  std::string created;
};

/// One process run; `ended` and `how` are empty when it was killed.
struct RunRecord {
  std::int64_t id = 0;  ///< in this store
  std::string uid;      ///< in every store that it is merged into
  std::string campaign;
  std::int64_t pid = 0;
  std::string harness_version;
  std::string started, ended, how;
};

/// A worker process that died, or was killed for passing its deadline.
struct WorkerDeath {
  std::string role;
  std::int64_t pid = 0;
  std::string how;  ///< "died" or "timed_out"
  int signal = 0;
  int exit_code = 0;
  std::string subject;  ///< what it worked on
  std::string last_output;
  std::int64_t run = 0;  ///< filled by the store
  std::string at;        ///< UTC, filled by the store
  auto operator<=>(const WorkerDeath&) const = default;
};

// What machines read of them, with runs by their numbers in this store.
Json to_json(const StepRecord& step);
Json to_json(const RunRecord& run);
Json to_json(const WorkerDeath& death);

/// All that a store holds; runs are told apart by their ids within it.
struct RecordSet {
  std::vector<CampaignRecord> campaigns;
  std::vector<RunRecord> runs;
  std::vector<StepRecord> steps;
  std::vector<WorkerDeath> deaths;
};

/// Adds runs and campaigns that others refer to and that are not there because their rows were
/// damaged: nothing else is lost with them. Such a run says how it "ended": "lost".
void add_lost_parents(RecordSet& set);

}  // namespace fusetune

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/cli/command_line.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/record_text.hpp"
#include "harness/cli/run_session.hpp"
#include "harness/store/record_file.hpp"
#include "harness/tune/record_data.hpp"

namespace fusetune {

namespace {

constexpr const char* kDeath = "death";
constexpr std::size_t kConflictsShown = 10;

void warn(const std::string& message) {
  std::fputs(wrapped("warning: " + message, 2).c_str(), stderr);
}

RecordSet read_records(const GlobalOptions& global) {
  require_store(global);
  RecordStore store = RecordStore::open(global.engine.store, false);
  store.on_damage(warn);
  return store.everything();
}

/// "rmsnorm_gemma" of "rmsnorm_gemma(width=4096) | ..." and of "race rmsnorm_gemma(...)".
/// "" of what names no case or geometry.
std::string family_of(const std::string& subject) {
  const std::size_t end = subject.find('(');
  if (end == std::string::npos) return "";
  const std::string name = subject.substr(0, end);
  return name.substr(name.rfind(' ') + 1);
}

/// What is named but not there would look like an empty store.
void require_known(const RecordSet& set, const RecordsOptions& options) {
  if (!options.family.empty()) {
    std::set<std::string> families;
    for (const StepRecord& step : set.steps) families.insert(family_of(step.subject));
    for (const WorkerDeath& death : set.deaths) families.insert(family_of(death.subject));
    families.erase("");
    if (families.count(options.family) == 0)
      throw UserError(
          unknown_name("family with a record", options.family, {families.begin(), families.end()}));
  }
  const auto is_asked = [&](const RunRecord& run) { return run.id == options.run; };
  if (options.run != 0 && std::none_of(set.runs.begin(), set.runs.end(), is_asked))
    throw UserError(
        fmt::format("there is no run {}; fusetune records show names the run of a "
                    "record, and the store has {}",
                    options.run, counted(std::ssize(set.runs), "run")));
}

/// Keeps what the options ask for. Throws UserError for names that are not known.
RecordSet filtered(RecordSet set, const RecordsOptions& options) {
  require_known(set, options);
  std::optional<StepRecord::Kind> kind;
  if (!options.kind.empty() && options.kind != kDeath) kind = parse_step_kind(options.kind);
  std::optional<Status> status;
  if (!options.status.empty()) {
    status = status_from_string(options.status);
    if (!status)
      throw UserError(
          fmt::format("unknown status '{}'; fusetune list statuses has them all", options.status));
  }
  const auto of_family = [&](const std::string& subject) {
    return options.family.empty() || family_of(subject) == options.family;
  };
  std::erase_if(set.steps, [&](const StepRecord& step) {
    return options.kind == kDeath || (kind && step.kind != *kind) ||
           (status && step.status != *status) || !of_family(step.subject) ||
           (options.run != 0 && step.run != options.run);
  });
  std::erase_if(set.deaths, [&](const WorkerDeath& death) {
    return kind.has_value() || status.has_value() || !of_family(death.subject) ||
           (options.run != 0 && death.run != options.run);
  });
  return set;
}

ExitCode list_records(const GlobalOptions& global, const RecordsOptions& options) {
  const RecordSet set = filtered(read_records(global), options);
  if (global.json) {
    fmt::print("{}\n", records_json(set).dump(2));
    return ExitCode::pass;
  }
  const bool deaths_alone = options.kind == kDeath;
  if (!deaths_alone)
    fmt::print("{}{}\n", steps_text(set), counted(std::ssize(set.steps), "record"));
  if (!set.deaths.empty() && deaths_alone) fmt::print("{}", deaths_text(set));
  if (deaths_alone || !set.deaths.empty())
    fmt::print("{}{}\n", counted(std::ssize(set.deaths), "worker death"),
               deaths_alone ? "" : "; see --kind death");
  return ExitCode::pass;
}

ExitCode show_record(const GlobalOptions& global, const RecordsOptions& options) {
  RecordSet set = read_records(global);
  std::vector<StepRecord> by_key, by_subject;
  for (const StepRecord& step : set.steps)
    if (step.key.starts_with(options.what))
      by_key.push_back(step);
    else if (step.subject.find(options.what) != std::string::npos)
      by_subject.push_back(step);
  set.steps = by_key.empty() ? std::move(by_subject) : std::move(by_key);
  if (set.steps.empty())
    throw UserError(
        fmt::format("no record's key begins with '{}', and none's subject has it; "
                    "fusetune records list has them all",
                    options.what));
  if (set.steps.size() > 1) {
    fmt::print(stderr, "{}", steps_text(set));
    throw UserError(fmt::format("{} records are meant by '{}'; give more of a key",
                                set.steps.size(), options.what));
  }
  const StepRecord& step = set.steps.front();
  const auto run = std::find_if(set.runs.begin(), set.runs.end(),
                                [&](const RunRecord& one) { return one.id == step.run; });
  if (global.json)
    fmt::print("{}\n", to_json(step).dump(2, ' ', false, Json::error_handler_t::replace));
  else
    fmt::print("{}", record_text(step, *run));
  return ExitCode::pass;
}

/// Runs and campaigns that nothing refers to any more are left out of a part.
void keep_parents(RecordSet& set) {
  std::set<std::int64_t> runs;
  for (const StepRecord& step : set.steps) runs.insert(step.run);
  for (const WorkerDeath& death : set.deaths) runs.insert(death.run);
  std::erase_if(set.runs, [&](const RunRecord& run) { return runs.count(run.id) == 0; });
  std::set<std::string> campaigns;
  for (const RunRecord& run : set.runs) campaigns.insert(run.campaign);
  std::erase_if(set.campaigns,
                [&](const CampaignRecord& campaign) { return campaigns.count(campaign.key) == 0; });
}

/// It is replaced by another file: what is no plain one would be lost, as a pipe or a link is.
void require_plain_file(const std::filesystem::path& file) {
  std::error_code error;
  const auto status = std::filesystem::symlink_status(file, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    throw UserError(fmt::format("{} is no plain file: give the name of one, or of none that is yet",
                                file.string()));
}

ExitCode export_records(const GlobalOptions& global, const RecordsOptions& options) {
  require_plain_file(options.file);
  std::int64_t left_out = 0;
  RecordSet set;
  if (options.salvage) {
    require_store(global);
    set = salvage_records(global.engine.store, [&left_out](const std::string& what) {
      ++left_out;
      warn("left out: " + what);
    });
  } else {
    set = read_records(global);
  }
  set = filtered(std::move(set), options);
  keep_parents(set);
  write_file_atomic(options.file, records_text(set));
  const Json document{{"file", options.file.string()},
                      {"steps", set.steps.size()},
                      {"runs", set.runs.size()},
                      {"deaths", set.deaths.size()},
                      {"left_out", left_out}};
  if (global.json)
    fmt::print("{}\n", document.dump(2));
  else
    fmt::print("{}: {} of {}{}\n", options.file.string(), counted(std::ssize(set.steps), "record"),
               counted(std::ssize(set.runs), "run"),
               options.salvage ? fmt::format(", {} left out", left_out) : "");
  return ExitCode::pass;
}

RecordSet records_from(const std::string& from, const std::filesystem::path& own) {
  std::error_code error;
  if (!std::filesystem::is_directory(from, error))
    return records_from_file(from, check_record_data);
  if (!std::filesystem::exists(std::filesystem::path(from) / "records.sqlite", error))
    throw UserError(fmt::format("{} is no store: it has no records.sqlite", from));
  if (std::filesystem::equivalent(from, own, error))
    throw UserError(fmt::format("{} is the store itself", from));
  RecordStore store = RecordStore::open(from, false);
  store.on_damage(warn);
  RecordSet set = store.everything();
  for (const StepRecord& step : set.steps) try {
      check_record_data(step);
    } catch (const std::exception& problem) {
      throw UserError(fmt::format("{}: the {} step '{}' has not what its kind has: {}", from,
                                  to_string(step.kind), step.key, problem.what()));
    }
  return set;
}

ExitCode merge_records_command(const GlobalOptions& global, const RecordsOptions& options) {
  // First, so that a file which is refused leaves no new store behind.
  std::vector<std::pair<std::string, RecordSet>> sets;
  for (const std::string& from : options.from)
    sets.emplace_back(from, records_from(from, global.engine.store));
  RecordStore store = RecordStore::open(global.engine.store, true);
  store.on_damage(warn);
  const RecordStore::MergeResult merged = store.merge(sets);
  if (!merged.conflicts.empty()) {
    std::string text = fmt::format("{} in conflict, nothing was merged:",
                                   counted(std::ssize(merged.conflicts), "record"));
    for (std::size_t i = 0; i < std::min(kConflictsShown, merged.conflicts.size()); ++i)
      text += "\n  " + printable_text(merged.conflicts[i]);
    if (merged.conflicts.size() > kConflictsShown) text += "\n  ...";
    throw UserError(text +
                    "\nto take in the rest, export it without them (fusetune records export with "
                    "--kind, --status, --family or --run) and merge that file");
  }
  if (global.json)
    fmt::print("{}\n", Json{{"added", merged.steps},
                            {"known", merged.known},
                            {"runs", merged.runs},
                            {"deaths", merged.deaths}}
                           .dump(2));
  else
    fmt::print("added {} of {}; {} were there already\n", counted(merged.steps, "record"),
               counted(merged.runs, "run"), merged.known);
  return ExitCode::pass;
}

}  // namespace

ExitCode records_command(const GlobalOptions& global, const RecordsOptions& options) {
  if (options.action == "show") return show_record(global, options);
  if (options.action == "export") return export_records(global, options);
  if (options.action == "merge") return merge_records_command(global, options);
  return list_records(global, options);
}

}  // namespace fusetune

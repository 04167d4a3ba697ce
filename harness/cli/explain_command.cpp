#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <set>
#include <stdexcept>

#include "harness/base/error.hpp"
#include "harness/cli/command_line.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/run_session.hpp"
#include "harness/cli/summary.hpp"
#include "harness/cli/text_table.hpp"
#include "harness/cli/variant_legend.hpp"
#include "harness/measure/choose.hpp"
#include "harness/spec/short_key.hpp"
#include "harness/store/record_store.hpp"
#include "harness/table/table.hpp"

namespace fusetune {

namespace {

/// Says what was raced instead: the nearest key, else the first few.
[[noreturn]] void no_race(const std::string& case_key, const std::string& device,
                          const std::set<std::string>& known) {
  std::string message = fmt::format("no race of this case on {}: {}", device, case_key);
  const std::vector<std::string> keys(known.begin(), known.end());
  if (const std::string near = nearest(case_key, keys); !near.empty())
    throw UserError(message + "\nthe nearest that was raced there: " + near);
  message += fmt::format("\nraced there: {}", counted(std::ssize(keys), "case"));
  for (std::size_t i = 0; i < std::min<std::size_t>(3, keys.size()); ++i) {
    message += "\n  ";
    message += keys[i];
  }
  throw UserError(message);
}

/// The newest race of a case on a device. Throws UserError naming the cases that the store has for
/// this device.
StepRecord find_race(const RecordStore& records, const std::string& case_key,
                     const GlobalOptions& global, const std::string& device) {
  std::set<std::string> known;
  std::set<std::string> devices;
  std::optional<StepRecord> found;
  for (StepRecord& step : records.all(StepRecord::Kind::race)) {
    const std::size_t bar = step.subject.rfind(" | ");
    const std::string raced_on = step.subject.substr(bar + 3);
    devices.insert(raced_on);
    if (raced_on != device) continue;
    known.insert(step.subject.substr(0, bar));
    if (step.subject.compare(0, bar, case_key) == 0) found = std::move(step);
  }
  if (found) return *std::move(found);
  if (devices.empty())
    throw UserError(fmt::format("the store {} holds no race; one is made by: {}",
                                global.engine.store.string(), command_text(global, "tune SWEEP")));
  if (known.empty())
    throw UserError(unknown_name("device with a race", device, {devices.begin(), devices.end()}));
  no_race(case_key, device, known);
}

/// What the table of a device says of a case.
struct TableEntry {
  std::filesystem::path file;
  bool exists = false;
  std::optional<TableRow> row;  ///< tuned at the case's rows
};

TableEntry table_entry(const std::filesystem::path& results, const std::string& device,
                       const Case& which) {
  const Family& family = *which.geometry.family;
  TableEntry entry;
  entry.file = results / device / (family.name + ".yaml");
  entry.exists = std::filesystem::exists(entry.file);
  if (!entry.exists) return entry;
  for (TableRow& row : table_from_yaml(entry.file).rows)
    if (row.tuned_at == which.rows() && row.geometry.key() == which.geometry.key())
      entry.row = std::move(row);
  return entry;
}

/// null of what is not known.
Json known(double value) { return std::isfinite(value) ? Json(value) : Json(); }

std::string certainty_text(const Choice& choice) {
  if (!std::isfinite(choice.regret)) return "none, it was raced in a single epoch";
  std::string text = fmt::format("at most {:.1f} % slower than the fastest", 100 * choice.regret);
  if (std::isfinite(choice.flip_probability))
    text += fmt::format(
        "; in a second race another would be faster by more than the margin with probability "
        "{:.2f}",
        choice.flip_probability);
  return text;
}

/// Whether the table names the arm that was chosen here.
bool holds(const TableEntry& entry, const Family& family, const Choice& choice,
           const std::vector<std::string>& arms) {
  if (!entry.row || entry.row->is_default != choice.is_default) return false;
  return entry.row->variant.key(family) == arms[static_cast<std::size_t>(choice.arm)];
}

std::string table_text(const TableEntry& entry, const Family& family, bool held) {
  if (!entry.exists) return fmt::format("table: none at {}", entry.file.string());
  if (!entry.row) return fmt::format("table: {} has no row for this case", entry.file.string());
  if (held) return fmt::format("table: {} holds this variant", entry.file.string());
  return fmt::format("table: {} holds another: {}{}", entry.file.string(),
                     entry.row->variant.key(family), entry.row->is_default ? " (default)" : "");
}

/// What the proofs and compilations of a geometry ended with, other than ok.
std::vector<std::pair<std::string, std::string>> fallen(const RecordStore& records,
                                                        const std::string& geometry_key,
                                                        const std::string& target,
                                                        const std::vector<std::string>& raced) {
  std::vector<std::pair<std::string, std::string>> list;
  const std::string prefix = geometry_key + " | ";
  for (const auto kind : {StepRecord::Kind::compile, StepRecord::Kind::proof})
    for (const StepRecord& step : records.all(kind)) {
      if (step.status == Status::ok || !step.subject.starts_with(prefix)) continue;
      const std::size_t last = step.subject.rfind(" | ");
      if (step.subject.substr(last + 3) != target) continue;
      const std::string variant = step.subject.substr(prefix.size(), last - prefix.size());
      // It may have failed once and, changed, have raced since.
      if (std::find(raced.begin(), raced.end(), variant) != raced.end()) continue;
      list.emplace_back(variant, fmt::format("{}: {}", to_string(step.status), step.message));
    }
  return list;
}

/// How it was measured, where more than the device's own clock was asked.
std::string protocol_text(const RaceResult& result) {
  std::string text;
  if (!result.path.empty()) text += fmt::format("launches: {}. ", result.path);
  if (result.confirmed)
    text += fmt::format(
        "{} dropped in {} epochs; times and intervals of those that are left are "
        "of the epochs after them. ",
        counted(std::ssize(result.eliminated), "variant"), result.confirmed_from);
  text += "stopped: " + result.stopped_by;
  if (result.rejected_clocks + result.rejected_throttle + result.repeated_epochs > 0)
    text += fmt::format(
        ". left out: {} of two clocks that disagreed, {} at a lower core clock; {} "
        "repeated",
        counted(result.rejected_clocks, "visit"), result.rejected_throttle,
        counted(result.repeated_epochs, "epoch"));
  for (const std::string& flag : result.flags) text += ". note: " + flag;
  return text;
}

std::string standing(const Choice& choice, const ArmVerdict& verdict) {
  if (verdict.arm == choice.arm) return "chosen";
  if (verdict.tied) return "tied";
  return fmt::format("{:.1f}% slower", 100 * (verdict.over_fastest.mid - 1));
}

/// How the arms were chosen where a search did it.
std::string search_text(const StepRecord& race) {
  const Json search = race.data.value("search", Json());
  if (!search.is_object()) return "";
  return fmt::format("search: {} (seed {}) tried {} of {} variants; the best of them were raced",
                     search.value("strategy", ""), search.value("seed", std::int64_t{0}),
                     search.value("tried", std::int64_t{0}),
                     search.value("variants", std::int64_t{0}));
}

/// What the arms asked of memory when they raced, as far as that was traced.
std::vector<std::optional<MemoryCost>> memory_of(const StepRecord& race) {
  std::vector<std::optional<MemoryCost>> memory;
  if (race.data.contains("memory"))
    for (const Json& cost : race.data["memory"])
      memory.push_back(cost.is_null()
                           ? std::nullopt
                           : std::optional(MemoryCost{cost.at("segments_32").get<std::int64_t>(),
                                                      cost.at("bank_passes").get<std::int64_t>()}));
  return memory;
}

ChoiceRules rules_of(const Family& family, const std::vector<std::string>& arms) {
  ChoiceRules rules;
  for (std::size_t a = 0; a < arms.size(); ++a) {
    const Variant variant = parse_variant_key(family, arms[a]);
    rules.simplicity.push_back(simplicity_rank(family, variant));
    if (variant.implementation == family.baseline) rules.baseline = static_cast<std::int32_t>(a);
  }
  return rules;
}

/// As the run that wrote the table chose: what the table holds stays within noise.
Choice choice_of(const RaceResult& result, const Family& family,
                 const std::vector<std::string>& arms, const TableEntry& entry,
                 const StepRecord& race) {
  ChoiceRules rules = rules_of(family, arms);
  rules.memory = memory_of(race);
  if (entry.row && !entry.row->certificate.batch_class.empty())
    for (const Json& batch_class : race.data.value("classes", Json::array()))
      rules.eligible.push_back(batch_class == entry.row->certificate.batch_class);
  try {
    Choice choice = choose(result, rules);
    if (!entry.row || entry.row->is_default || holds(entry, family, choice, arms)) return choice;
    const auto arm = std::find(arms.begin(), arms.end(), entry.row->variant.key(family));
    const auto number = static_cast<std::int32_t>(arm - arms.begin());
    const auto timed = [number](const Sample& sample) { return sample.arm == number; };
    if (std::none_of(result.samples.begin(), result.samples.end(), timed)) return choice;
    rules.incumbent = number;
    Choice kept = choose(result, rules);
    if (kept.arm != number && sharable_arms(kept, rules).count(number) != 0) {
      rules.shared = number;
      kept = choose(result, rules);
    }
    return kept;
  } catch (const std::invalid_argument& error) {
    throw UserError(fmt::format("this race chose nothing: {}", error.what()));
  }
}

}  // namespace

ExitCode explain_command(const GlobalOptions& global, const ExplainOptions& options) {
  const Case which = parse_case_key(options.case_key);
  const Family& family = *which.geometry.family;
  require_store(global);
  const RecordStore records = RecordStore::open(global.engine.store, false);
  const StepRecord step = find_race(records, which.key(), global, options.device);
  const auto arms = step.data.at("arms").get<std::vector<std::string>>();
  const RaceResult result = race_from_json(step.data.at("result"));
  if (!result.outcome.ok())
    throw UserError(fmt::format("the race of this case failed: {}", result.outcome.message));
  const TableEntry entry = table_entry(global.engine.results, options.device, which);
  const Choice choice = choice_of(result, family, arms, entry, step);
  const bool held = holds(entry, family, choice, arms);
  const auto others = fallen(records, which.geometry.key(), options.device, arms);
  std::vector<ArmVerdict> verdicts = choice.verdicts;
  std::sort(verdicts.begin(), verdicts.end(), [](const ArmVerdict& a, const ArmVerdict& b) {
    return a.summary.median_us < b.summary.median_us;
  });
  if (global.json) {
    Json list = Json::array();
    for (const ArmVerdict& verdict : verdicts)
      list.push_back({{"variant", arms[static_cast<std::size_t>(verdict.arm)]},
                      {"median_us", verdict.summary.median_us},
                      {"standing", standing(choice, verdict)}});
    fmt::print("{}\n",
               Json{{"case", which.key()},
                    {"reason", choice.reason},
                    {"is_default", choice.is_default},
                    {"regret_percent", known(100 * choice.regret)},
                    {"flip_probability", known(choice.flip_probability)},
                    {"variant", arms[static_cast<std::size_t>(choice.arm)]},
                    {"table", entry.exists ? Json(entry.file.string()) : Json()},
                    {"table_variant", entry.row ? Json(entry.row->variant.key(family)) : Json()},
                    {"table_holds_it", held},
                    {"path", result.path},
                    {"stopped_by", result.stopped_by},
                    {"flags", result.flags},
                    {"search", step.data.value("search", Json())},
                    {"arms", std::move(list)}}
                   .dump(2));
    return ExitCode::pass;
  }
  fmt::print("{}\non {}, {} data, {} argument sets in rotation\n\n", short_key(which),
             options.device, result.data, result.ring);
  using Align = TextTable::Align;
  TextTable table({"us per call", "95 % interval", "spread", "over fastest", "", "variant"},
                  {Align::right, Align::right, Align::right, Align::right});
  VariantLegend legend;
  const auto name = [&arms, &legend](std::int32_t arm) {
    return legend.number(arms[static_cast<std::size_t>(arm)]);
  };
  for (const ArmVerdict& verdict : verdicts)
    table.add({fmt::format("{:.3f}", verdict.summary.median_us),
               fmt::format("{:.2f}..{:.2f}", verdict.summary.low_us, verdict.summary.high_us),
               fmt::format("{:.1f}%", verdict.summary.spread_percent),
               fmt::format("{:.2f}..{:.2f}", verdict.over_fastest.low, verdict.over_fastest.high),
               standing(choice, verdict), name(verdict.arm)});
  fmt::print("{}\n{}", table.text(kLineWidth), wrapped("why: " + choice.reason, 2));
  fmt::print("{}", wrapped("certainty: " + certainty_text(choice), 2));
  fmt::print("{}", wrapped(table_text(entry, family, held), 2));
  fmt::print("{}", wrapped("measured: " + protocol_text(result), 2));
  fmt::print("{}", wrapped(search_text(step), 2));
  if (!result.dropped.empty()) {
    fmt::print("dropped after the first look (more than {:.1f}x the best):\n",
               RaceOptions{}.probe_cutoff);
    for (const std::int32_t arm : result.dropped)
      fmt::print("  {:8.2f} us  {}\n", result.probe_us[static_cast<std::size_t>(arm)], name(arm));
  }
  fmt::print("variants:\n{}", legend.text());
  if (!others.empty()) fmt::print("never raced:\n");
  for (const auto& [variant, why] : others)
    fmt::print("{}", wrapped(fmt::format("  {}: {}", variant, why), 4));
  return ExitCode::pass;
}

}  // namespace fusetune

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/error.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/summary.hpp"
#include "harness/cli/text_table.hpp"
#include "harness/cli/variant_legend.hpp"
#include "harness/measure/choose.hpp"
#include "harness/store/record_store.hpp"

namespace fusetune {

namespace {

/// The newest race of a case on a device. Throws UserError naming the cases that the store has.
StepRecord find_race(const RecordStore& records, const std::string& case_key,
                     const std::string& device) {
  std::vector<std::string> known;
  std::optional<StepRecord> found;
  for (StepRecord& step : records.all(StepRecord::Kind::race)) {
    const std::string subject = case_key + " | " + device;
    if (step.subject == subject)
      found = std::move(step);
    else
      known.push_back(step.subject.substr(0, step.subject.rfind(" | ")));
  }
  if (found) return *std::move(found);
  if (known.empty()) throw UserError("the store holds no race; run 'fusetune tune SWEEP' first");
  throw UserError(unknown_name(
      fmt::format("case with a race on {}", device), case_key,
      {known.begin(), known.begin() + std::min<std::ptrdiff_t>(3, std::ssize(known))}));
}

/// What the proofs and compilations of a geometry ended with, other than ok.
std::vector<std::pair<std::string, std::string>> fallen(const RecordStore& records,
                                                        const std::string& geometry_key,
                                                        const std::string& target,
                                                        const std::vector<std::string>& raced) {
  std::vector<std::pair<std::string, std::string>> list;
  for (const auto kind : {StepRecord::Kind::compile, StepRecord::Kind::proof})
    for (const StepRecord& step : records.all(kind)) {
      if (step.status == Status::ok || step.subject.rfind(geometry_key + " | ", 0) != 0) continue;
      const std::size_t last = step.subject.rfind(" | ");
      if (step.subject.substr(last + 3) != target) continue;
      const std::string variant =
          step.subject.substr(geometry_key.size() + 3, last - geometry_key.size() - 3);
      // It may have failed once and, changed, have raced since.
      if (std::find(raced.begin(), raced.end(), variant) != raced.end()) continue;
      list.emplace_back(variant, fmt::format("{}: {}", to_string(step.status), step.message));
    }
  return list;
}

std::string standing(const Choice& choice, const ArmVerdict& verdict) {
  if (verdict.arm == choice.arm) return "chosen";
  if (verdict.tied) return "tied";
  return fmt::format("{:.1f}% slower", 100 * (verdict.over_fastest.mid - 1));
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

}  // namespace

ExitCode explain_command(const GlobalOptions& global, const ExplainOptions& options) {
  const Case which = parse_case_key(options.case_key);
  const Family& family = *which.geometry.family;
  const RecordStore records = RecordStore::open(global.engine.store, false);
  const StepRecord step = find_race(records, which.key(), options.device);
  const auto arms = step.data.at("arms").get<std::vector<std::string>>();
  const RaceResult result = race_from_json(step.data.at("result"));
  if (!result.outcome.ok())
    throw UserError(fmt::format("the race of this case failed: {}", result.outcome.message));
  const Choice choice = choose(result, rules_of(family, arms));
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
    fmt::print("{}\n", Json{{"case", which.key()},
                            {"reason", choice.reason},
                            {"is_default", choice.is_default},
                            {"arms", std::move(list)}}
                           .dump(2));
    return ExitCode::pass;
  }
  fmt::print("{}\non {}, {} data, {} argument sets in rotation\n\n", which.key(), options.device,
             result.data, result.ring);
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

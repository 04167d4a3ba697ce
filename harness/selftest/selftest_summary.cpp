#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "harness/base/error.hpp"
#include "harness/selftest/selftest.hpp"

namespace fusetune {

namespace {

constexpr const char* kBegin = "<!-- begin: fusetune selftest --write-docs -->";
constexpr const char* kEnd = "<!-- end: fusetune selftest --write-docs -->";

std::string cell_of(const MutantVerdict& verdict) {
  if (!verdict.out_of_reach.empty()) return "out of reach: " + verdict.out_of_reach;
  if (!verdict.killed)
    return verdict.check.empty() ? "**lives**" : "**" + verdict.found_by() + "**";
  return verdict.found_by();
}

/// What each device says, once where they agree.
std::string merged(const std::map<std::string, std::string>& by_device, std::size_t devices) {
  const bool same = by_device.size() == devices &&
                    std::all_of(by_device.begin(), by_device.end(), [&](const auto& one) {
                      return one.second == by_device.begin()->second;
                    });
  if (same) return by_device.begin()->second;
  std::string text;
  for (const auto& [device, cell] : by_device)
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", device, cell);
  return text;
}

struct Row {
  std::string about;
  std::map<ProofMode, std::map<std::string, std::string>> cells;  ///< by mode and device
  std::set<ProofMode> alone;  ///< where nothing else finds it, on the device that was asked
};

std::string cell_of(const Row& row, ProofMode mode, std::size_t devices) {
  const auto cells = row.cells.find(mode);
  if (cells == row.cells.end()) return "-";
  return merged(cells->second, devices) + (row.alone.count(mode) != 0 ? " (alone)" : "");
}

std::string table_of(const std::vector<const SelftestSummary*>& of_family) {
  std::map<std::string, Row> rows;
  for (const SelftestSummary* summary : of_family)
    for (const MutantVerdict& verdict : summary->mutants) {
      Row& row = rows[verdict.name];
      row.about = verdict.about;
      row.cells[verdict.mode][summary->device] = cell_of(verdict);
      if (!verdict.lives_without.empty()) row.alone.insert(verdict.mode);
    }
  std::string text = "| mutant | what it does | EXACT | FAST |\n|---|---|---|---|\n";
  for (auto& [name, row] : rows)
    text += fmt::format("| `{}` | {} | {} | {} |\n", name, row.about,
                        cell_of(row, ProofMode::exact, of_family.size()),
                        cell_of(row, ProofMode::fast, of_family.size()));
  return text;
}

std::string score_of(const std::vector<const SelftestSummary*>& of_family) {
  std::string text;
  for (const ProofMode mode : {ProofMode::exact, ProofMode::fast}) {
    std::int64_t killed = 0, within = 0, all = 0;
    for (const SelftestSummary* summary : of_family) {
      killed += summary->killed(mode);
      within += summary->within_reach(mode);
      all += std::count_if(summary->mutants.begin(), summary->mutants.end(),
                           [mode](const MutantVerdict& one) { return one.mode == mode; });
    }
    if (all == 0) continue;
    text += fmt::format("{}{}: {} of {} killed{}", text.empty() ? "" : "; ",
                        mode == ProofMode::exact ? "EXACT" : "FAST", killed, within,
                        all > within ? fmt::format(", {} out of reach", all - within) : "");
  }
  return text;
}

/// Whether a rule over blocks could fail where every element keeps its own rule. Not with a bound:
/// errors of at most u |truth| + a S each add up to a relative L2 within u + a |S| / |truth|, which
/// the factor of the floor, u / sqrt(3), leaves room for.
bool norms_add_something(const TensorDecl& tensor) {
  const Accept& accept = tensor.accept;
  return !accept.exact && accept.norms != Accept::Norms::none &&
         (!accept.bound || accept.norm_factor < std::sqrt(3.0));
}

/// Every other group has something to find in any family; the comparison with the baseline is no
/// part of a self-test's proofs.
bool applies(const CheckGroup& group, const std::vector<SelftestSummary>& summaries) {
  if (group.name == "baseline") return false;
  if (group.name != "norms") return true;
  return std::any_of(summaries.begin(), summaries.end(), [](const SelftestSummary& summary) {
    const auto& tensors = find_family(summary.family)->tensors;
    return std::any_of(tensors.begin(), tensors.end(), norms_add_something);
  });
}

}  // namespace

std::string MutantVerdict::found_by() const {
  return check == "launch" ? std::string(to_string(status)) : check;
}

bool SelftestSummary::passed() const {
  return !interrupted && !mutants.empty() && true_runs > 0 && false_alarms.empty() &&
         std::all_of(mutants.begin(), mutants.end(), [](const MutantVerdict& verdict) {
           return verdict.killed || !verdict.out_of_reach.empty();
         });
}

std::int64_t SelftestSummary::killed(ProofMode mode) const {
  return std::count_if(mutants.begin(), mutants.end(), [mode](const MutantVerdict& verdict) {
    return verdict.mode == mode && verdict.killed;
  });
}

std::int64_t SelftestSummary::within_reach(ProofMode mode) const {
  return std::count_if(mutants.begin(), mutants.end(), [mode](const MutantVerdict& verdict) {
    return verdict.mode == mode && verdict.out_of_reach.empty();
  });
}

std::vector<const MutantVerdict*> SelftestSummary::out_of_reach(ProofMode mode) const {
  std::vector<const MutantVerdict*> verdicts;
  for (const MutantVerdict& verdict : mutants)
    if (verdict.mode == mode && !verdict.out_of_reach.empty()) verdicts.push_back(&verdict);
  return verdicts;
}

std::vector<UnprovenGroup> unproven_groups(const std::vector<SelftestSummary>& summaries,
                                           const std::vector<ProofMode>& modes) {
  std::vector<UnprovenGroup> unproven;
  for (const CheckGroup& group : check_groups())
    for (const ProofMode mode : modes) {
      if (group.modes.count(mode) == 0 || !applies(group, summaries)) continue;
      const bool proven =
          std::any_of(summaries.begin(), summaries.end(), [&](const SelftestSummary& summary) {
            return std::any_of(summary.mutants.begin(), summary.mutants.end(),
                               [&](const MutantVerdict& verdict) {
                                 return verdict.mode == mode && verdict.lives_without == group.name;
                               });
          });
      if (!proven) unproven.push_back({group.name, mode});
    }
  return unproven;
}

Json to_json(const SelftestSummary& summary) {
  Json mutants = Json::array();
  for (const MutantVerdict& mutant : summary.mutants)
    mutants.push_back({{"name", mutant.name},
                       {"mode", std::string(to_string(mutant.mode))},
                       {"killed", mutant.killed},
                       {"out_of_reach", mutant.out_of_reach},
                       {"check", mutant.check},
                       {"status", std::string(to_string(mutant.status))},
                       {"lives_without", mutant.lives_without},
                       {"message", mutant.message}});
  return Json{{"family", summary.family},           {"device", summary.device},
              {"interrupted", summary.interrupted}, {"mutants", std::move(mutants)},
              {"true_runs", summary.true_runs},     {"false_alarms", summary.false_alarms},
              {"passed", summary.passed()}};
}

std::string mutant_tables(const std::vector<SelftestSummary>& summaries) {
  std::map<std::string, std::vector<const SelftestSummary*>> families;
  for (const SelftestSummary& summary : summaries) families[summary.family].push_back(&summary);
  std::string text;
  for (const auto& [family, of_family] : families)
    text += fmt::format("### {}\n\n{} (both wave sizes counted).\n\n{}\n", family,
                        score_of(of_family), table_of(of_family));
  return text;
}

std::string with_mutant_tables(const std::string& text, const std::string& tables) {
  const std::size_t begin = text.find(kBegin);
  const std::size_t end = text.find(kEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin)
    throw UserError(fmt::format("the file needs the lines '{}' and '{}'", kBegin, kEnd));
  return text.substr(0, begin) + kBegin + "\n\n" + tables + text.substr(end);
}

}  // namespace fusetune

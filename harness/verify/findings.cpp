#include "harness/verify/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fusetune {

std::string_view to_string(Check check) {
  constexpr std::array<std::string_view, kCheckCount> kNames{
      "launch",          "guards",       "row_padding", "inputs_unchanged",
      "writers",         "poison",       "exact",       "values",
      "norms",           "untouched",    "calls",       "alias",
      "input_impact",    "back_to_back", "baseline",    "determinism",
      "batch_invariance"};
  return kNames[static_cast<std::size_t>(check)];
}

Findings::Findings(std::set<std::string> off) : off_(std::move(off)) {
  for (std::size_t i = 0; i < kCheckCount; ++i) {
    const auto check = static_cast<Check>(i);
    // Launches go by how they ended.
    off_checks_[i] = check != Check::launch && off_.count(std::string(to_string(check))) != 0;
  }
}

void Findings::count(Check check, std::int64_t comparisons, std::string_view unit) {
  Entry& e = entry(check);
  e.ran = true;
  e.count.name = to_string(check);
  e.count.comparisons += comparisons;
  e.count.unit = unit;
}

void Findings::add(Check check, Status status, Mismatch mismatch) {
  if (is_off(check, status)) return;
  Entry& e = entry(check);
  if (e.mismatch_count++ == 0) e.status = status;
  if (e.mismatches.size() < kMismatchesKept) e.mismatches.push_back(std::move(mismatch));
}

bool Findings::is_off(Check check, Status status) const {
  return is_off(check) ||
         (check == Check::launch && off_.count(std::string(to_string(status))) != 0);
}

bool Findings::count_only(Check check) {
  Entry& e = entry(check);
  // Nobody hears of what a check finds that is off: its words would be made for every element.
  if (is_off(check)) return true;
  if (e.mismatches.size() < kMismatchesKept) return false;
  ++e.mismatch_count;
  return true;
}

void Findings::fold(const Findings& part, Check as, std::string_view where) {
  std::int64_t results = 0;
  for (const Check check : {Check::exact, Check::values, Check::untouched})
    results += part.comparisons(check);
  count(as, results, "elements");
  for (const Check check :
       {Check::launch, Check::guards, Check::row_padding, Check::inputs_unchanged, Check::writers})
    if (const Entry& e = part.entry(check); e.ran) count(check, e.count.comparisons, e.count.unit);
  for (std::size_t i = 0; i < kCheckCount; ++i) {
    const Entry& from = part.entries_[i];
    if (from.mismatch_count == 0) continue;
    const Check into = static_cast<Check>(i) == Check::launch ? Check::launch : as;
    if (is_off(into, from.status)) continue;
    for (Mismatch mismatch : from.mismatches) {
      mismatch.text = fmt::format("{}: {}", where, mismatch.text);
      add(into, from.status, std::move(mismatch));
    }
    entry(into).mismatch_count += from.mismatch_count - std::ssize(from.mismatches);
  }
}

void Findings::absorb(const Findings& part) {
  for (std::size_t i = 0; i < kCheckCount; ++i) {
    const Entry& from = part.entries_[i];
    const auto check = static_cast<Check>(i);
    if (from.ran) count(check, from.count.comparisons, from.count.unit);
    for (const Mismatch& mismatch : from.mismatches) add(check, from.status, mismatch);
    entry(check).mismatch_count += from.mismatch_count - std::ssize(from.mismatches);
  }
}

bool Findings::any() const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const Entry& e) { return e.mismatch_count != 0; });
}

std::int64_t Findings::comparisons(Check check) const { return entry(check).count.comparisons; }

void Findings::conclude(ProofReport* report) const {
  for (const Entry& e : entries_)
    if (e.ran) report->checks.push_back(e.count);
  for (std::size_t i = 0; i < kCheckCount; ++i) {
    const Entry& e = entries_[i];
    if (e.mismatch_count == 0) continue;
    report->failed_check = to_string(static_cast<Check>(i));
    report->mismatch_count = e.mismatch_count;
    report->mismatches = e.mismatches;
    report->outcome.status = e.status;
    report->outcome.message = e.mismatches.front().text;
    if (e.mismatch_count > 1)
      report->outcome.message += fmt::format(" (and {} more)", e.mismatch_count - 1);
    return;
  }
}

}  // namespace fusetune

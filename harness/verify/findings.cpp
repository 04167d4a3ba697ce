#include "harness/verify/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fusetune {

std::string_view to_string(Check check) {
  constexpr std::array<std::string_view, 8> kNames{"launch",           "guards",     "row_padding",
                                                   "inputs_unchanged", "poison",     "exact",
                                                   "untouched",        "determinism"};
  return kNames[static_cast<std::size_t>(check)];
}

void Findings::count(Check check, std::int64_t comparisons, std::string_view unit) {
  Entry& e = entry(check);
  e.ran = true;
  e.count.name = to_string(check);
  e.count.comparisons += comparisons;
  e.count.unit = unit;
}

void Findings::add(Check check, Status status, Mismatch mismatch) {
  Entry& e = entry(check);
  if (e.mismatch_count++ == 0) e.status = status;
  if (e.mismatches.size() < kMismatchesKept) e.mismatches.push_back(std::move(mismatch));
}

bool Findings::count_only(Check check) {
  Entry& e = entry(check);
  if (e.mismatches.size() < kMismatchesKept) return false;
  ++e.mismatch_count;
  return true;
}

bool Findings::any() const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const Entry& e) { return e.mismatch_count != 0; });
}

std::int64_t Findings::comparisons(Check check) const {
  return entries_[static_cast<std::size_t>(check)].count.comparisons;
}

void Findings::conclude(ProofReport* report) const {
  for (const Entry& e : entries_)
    if (e.ran) report->checks.push_back(e.count);
  for (std::size_t i = 0; i < kChecks; ++i) {
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

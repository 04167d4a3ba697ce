#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/verify/result_check.hpp"

namespace fusetune {

TolerantCheck::TolerantCheck(const Case& which, const TensorDecl& tensor,
                             std::span<const Pass> passes, const Explainer& explainer,
                             Findings* findings, double cosine_min)
    : ResultCheck(which, tensor, passes, explainer, findings),
      limits_(limits_of(which, tensor, cosine_min)) {}

void TolerantCheck::run() {
  for (const View& view : views_) {
    results_.push_back(climb(limits_, *view.actual, *view.expected, truth(view), scales(view)));
    merge(results_.back(), view);
  }
  sort_all();
  for (std::size_t i = 0; i < views_.size(); ++i) {
    count(views_[i], Check::values);
    judge_norms(results_[i], views_[i]);
  }
  name_worst();
}

const reference::Truth& TolerantCheck::truth(const View& view) const {
  static const reference::Truth kNone;
  const auto found = view.pass->truths.find(tensor_.name);
  return found == view.pass->truths.end() ? kNone : found->second;
}

const TensorImage* TolerantCheck::scales(const View& view) const {
  if (!tensor_.accept.code || tensor_.accept.code->scale.empty()) return nullptr;
  const std::string& name = tensor_.accept.code->scale;
  const auto expected = view.pass->expected.find(name);
  if (expected != view.pass->expected.end()) return &expected->second;
  // Where the geometry has no scales, codes stand for themselves.
  const auto given = view.pass->initial.find(name);
  return given != view.pass->initial.end() ? &given->second : nullptr;
}

void TolerantCheck::sort_all() {
  // Nearly all elements are right, and changed by the kernel as by the reference: nothing is to be
  // said of them.
  const std::vector<std::uint8_t> kept = equal_in_all_passes(&View::actual, &View::initial);
  const std::vector<std::uint8_t> to_keep = equal_in_all_passes(&View::expected, &View::initial);
  const auto none = [](const std::vector<std::uint8_t>& marks) {
    return std::find(marks.begin(), marks.end(), 1) == marks.end();
  };
  const bool all_right = std::all_of(results_.begin(), results_.end(), [](const LadderResult& one) {
    return one.mismatch_count == 0;
  });
  if (all_right && none(kept) && none(to_keep)) return;
  for (std::size_t i = 0; i < wrong_.size(); ++i) {
    bool wrong = false;
    for (const LadderResult& result : results_) wrong = wrong || result.wrong[i];
    if (wrong || ((kept[i] != 0 || to_keep[i] != 0) && !is_told_to_stay(i)))
      sort(static_cast<std::int64_t>(i));
  }
}

/// Bytes of such an element were compared, whatever the rules.
bool TolerantCheck::is_told_to_stay(std::size_t index) const {
  return std::all_of(views_.begin(), views_.end(), [&](const View& view) {
    const std::vector<bool>& told = truth(view).kept;
    return !told.empty() && told[index];
  });
}

void TolerantCheck::sort(std::int64_t index) {
  if (is_unwritten(index)) return report_unwritten(index);
  if (must_stay(index)) {
    for (const View& view : views_)
      if (!same(view, &View::actual, &View::expected, index)) return report_touched(view, index);
    return;
  }
  for (std::size_t i = 0; i < views_.size(); ++i)
    if (is_wrong(i, index)) return report_value(views_[i], index);
}

bool TolerantCheck::is_wrong(std::size_t pass, std::int64_t index) const {
  return results_[pass].wrong[static_cast<std::size_t>(index)];
}

bool TolerantCheck::is_unwritten(std::int64_t index) const {
  if (!in_all_passes(&View::actual, &View::initial, index)) return false;
  // Two poisons are no result, be they within the limits. What an inout element holds may be one.
  if (tensor_.role == Role::out && views_.size() > 1)
    return !in_all_passes(&View::actual, &View::expected, index);
  for (std::size_t i = 0; i < views_.size(); ++i)
    if (is_wrong(i, index)) return true;
  return false;
}

bool TolerantCheck::must_stay(std::int64_t index) const {
  // One pass may leave an element as it was by chance.
  if (tensor_.role == Role::out || views_.size() < 2 ||
      !in_all_passes(&View::expected, &View::initial, index))
    return false;
  // So may rounding, of what is computed anew.
  return std::all_of(views_.begin(), views_.end(), [&](const View& view) {
    const reference::Truth& truth_of = truth(view);
    if (truth_of.value.empty()) return true;
    const double before = value_at(*view.initial, index);
    const double after = truth_of.value[static_cast<std::size_t>(index)];
    return after == before || (std::isnan(after) && std::isnan(before));
  });
}

void TolerantCheck::report_value(const View& view, std::int64_t index) {
  report(Check::values, Status::verification_failed, index, [&] {
    const std::string words =
        judgement(limits_, *view.actual, *view.expected, truth(view), index, scales(view));
    return explainer_.judged(tensor_.name, index, words, *view.pass);
  });
}

void TolerantCheck::judge_norms(const LadderResult& result, const View& view) {
  if (result.rules_over_blocks == 0) return;
  findings_->count(Check::norms, result.rules_over_blocks, "rules");
  if (result.broken_rule_count == 0) return;
  for (const ElementRange& block : result.broken_blocks)
    for (std::int64_t index = block.begin; index < block.end; ++index) mark_wrong(index);
  any_wrong_ = true;
  const std::string inputs = view.pass->name.empty() ? "" : " (inputs: " + view.pass->name + ")";
  for (const std::string& rule : result.broken_rules)
    if (!findings_->count_only(Check::norms))
      findings_->add(Check::norms, Status::verification_failed,
                     {.tensor = tensor_.name,
                      .index = 0,
                      .text = fmt::format("{}: {}{}", tensor_.name, rule, inputs)});
  // Those without words; eight are kept by then.
  for (std::int64_t i = std::ssize(result.broken_rules); i < result.broken_rule_count; ++i)
    findings_->count_only(Check::norms);
}

}  // namespace fusetune

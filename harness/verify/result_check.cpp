#include "harness/verify/result_check.hpp"

#include <algorithm>
#include <cmath>

namespace fusetune {

ResultCheck::ResultCheck(const Case& which, const TensorDecl& tensor, std::span<const Pass> passes,
                         const Explainer& explainer, Findings* findings)
    : tensor_(tensor), explainer_(explainer), findings_(findings) {
  for (const Pass& pass : passes)
    views_.push_back({&pass, &pass.initial.at(tensor.name), &pass.expected.at(tensor.name),
                      &pass.actual.at(tensor.name)});
  const TensorShape shape = shape_of(which, tensor);
  row_elements_ = shape.row_elements;
  metrics_.tensor = tensor.name;
  wrong_.assign(static_cast<std::size_t>(shape.elements()), false);
}

std::vector<std::uint8_t> ResultCheck::equal_in_all_passes(Image a, Image b) const {
  std::vector<std::uint8_t> equal(wrong_.size(), 1);
  for (const View& view : views_) keep_equal(*(view.*a), *(view.*b), equal);
  return equal;
}

void ResultCheck::report_unwritten(std::int64_t index) {
  report(Check::poison, Status::unwritten_output, index,
         [&] { return explainer_.unwritten(tensor_.name, index, tensor_.role == Role::out); });
}

void ResultCheck::report_touched(const View& view, std::int64_t index) {
  report(Check::untouched, Status::verification_failed, index,
         [&] { return explainer_.touched(tensor_.name, index, *view.pass); });
}

void ResultCheck::mark_wrong(std::int64_t index) {
  any_wrong_ = true;
  wrong_[static_cast<std::size_t>(index)] = true;
}

void ResultCheck::count(const View& view, Check check) {
  const std::int64_t compared = std::ssize(wrong_);
  findings_->count(Check::poison, compared, "elements");
  std::int64_t changed = compared;
  if (tensor_.role != Role::out) {
    changed = 0;
    for_each_difference(*view.expected, *view.initial, [&](std::int64_t) { ++changed; });
    findings_->count(Check::untouched, compared - changed, "elements");
  }
  findings_->count(check, changed, "elements");
}

void ResultCheck::merge(const LadderResult& result, const View& view) {
  const OutputMetrics& m = result.metrics;
  metrics_.rule = m.rule;
  metrics_.elements += m.elements;
  metrics_.abs_error_max = std::max(metrics_.abs_error_max, m.abs_error_max);
  metrics_.rel_error_max = std::max(metrics_.rel_error_max, m.rel_error_max);
  metrics_.ulp_max = std::max(metrics_.ulp_max, m.ulp_max);
  metrics_.codes_off += m.codes_off;
  // A NaN, of an output that holds one in the place of a number, is the worst of all.
  if (!(m.relative_l2 <= metrics_.relative_l2)) metrics_.relative_l2 = m.relative_l2;
  if (!(m.cosine >= metrics_.cosine)) metrics_.cosine = m.cosine;
  if (!(std::fabs(m.norm_ratio - 1) <= std::fabs(metrics_.norm_ratio - 1)))
    metrics_.norm_ratio = m.norm_ratio;
  metrics_.share_of_limit_max = std::max(metrics_.share_of_limit_max, m.share_of_limit_max);
  if (m.worst_index < 0) return;
  if (worst_pass_ != nullptr && result.worst_share <= worst_share_) return;
  worst_pass_ = view.pass;
  worst_share_ = result.worst_share;
  worst_text_ = result.worst_text;
  metrics_.worst_index = m.worst_index;
}

void ResultCheck::name_worst() {
  if (worst_pass_ == nullptr) return;
  metrics_.worst =
      explainer_.judged(tensor_.name, metrics_.worst_index, worst_text_, *worst_pass_).text;
}

void ExactCheck::run() {
  metrics_.rule = "exact";
  for (const View& view : views_) {
    const bool clean = !any_wrong_;
    for_each_difference(*view.actual, *view.expected, [&](std::int64_t index) {
      if (is_first_difference(view, index)) sort(view, index);
    });
    count(view, Check::exact);
    // Differences are measured in the first pass that shows any.
    if (clean && any_wrong_)
      merge(climb({}, *view.actual, *view.expected, {}), view);
    else
      metrics_.elements += std::ssize(wrong_);
  }
  name_worst();
}

bool ExactCheck::is_first_difference(const View& view, std::int64_t index) const {
  return std::all_of(views_.data(), &view, [&](const View& earlier) {
    return same(earlier, &View::actual, &View::expected, index);
  });
}

void ExactCheck::sort(const View& view, std::int64_t index) {
  if (in_all_passes(&View::actual, &View::initial, index))
    report_unwritten(index);
  else if (in_all_passes(&View::expected, &View::initial, index))
    report_touched(view, index);
  else
    report(Check::exact, Status::verification_failed, index,
           [&] { return explainer_.wrong(tensor_.name, index, *view.pass); });
}

}  // namespace fusetune

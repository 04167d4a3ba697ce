#include "harness/verify/results.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/verify/compare.hpp"

namespace fusetune {

namespace {

/// The passes of one result tensor.
class ResultCheck {
 public:
  ResultCheck(const TensorDecl& tensor, std::span<const Pass> passes, const Explainer& explainer,
              Findings* findings)
      : tensor_(tensor), passes_(passes), explainer_(explainer), findings_(findings) {}

  void run() {
    for (const Pass& pass : passes_) {
      const std::int64_t compared = for_each_difference(
          pass.actual.at(tensor_.name), pass.expected.at(tensor_.name), [&](std::int64_t index) {
            if (is_first_difference(pass, index)) sort(pass, index);
          });
      count(pass, compared);
    }
  }

 private:
  /// An element is reported once, however many passes show it.
  bool is_first_difference(const Pass& pass, std::int64_t index) const {
    return std::all_of(passes_.data(), &pass, [&](const Pass& earlier) {
      return same(earlier, &Pass::actual, &Pass::expected, index);
    });
  }

  void sort(const Pass& pass, std::int64_t index) {
    if (in_all_passes(&Pass::actual, &Pass::initial, index))
      report(Check::poison, Status::unwritten_output,
             [&] { return explainer_.unwritten(tensor_.name, index, tensor_.role == Role::out); });
    else if (in_all_passes(&Pass::expected, &Pass::initial, index))
      report(Check::untouched, Status::verification_failed,
             [&] { return explainer_.touched(tensor_.name, index, pass); });
    else
      report(Check::exact, Status::verification_failed,
             [&] { return explainer_.wrong(tensor_.name, index, pass); });
  }

  template <typename MakeText>
  void report(Check check, Status status, const MakeText& make) {
    if (!findings_->count_only(check)) findings_->add(check, status, make());
  }

  void count(const Pass& pass, std::int64_t compared) {
    findings_->count(Check::poison, compared, "elements");
    std::int64_t changed = compared;
    if (tensor_.role != Role::out) {
      changed = 0;
      for_each_difference(pass.expected.at(tensor_.name), pass.initial.at(tensor_.name),
                          [&](std::int64_t) { ++changed; });
      findings_->count(Check::untouched, compared - changed, "elements");
    }
    findings_->count(Check::exact, changed, "elements");
  }

  using Images = TensorImages Pass::*;
  bool same(const Pass& pass, Images a, Images b, std::int64_t index) const {
    return same_element((pass.*a).at(tensor_.name), (pass.*b).at(tensor_.name), index);
  }
  bool in_all_passes(Images a, Images b, std::int64_t index) const {
    return std::all_of(passes_.begin(), passes_.end(),
                       [&](const Pass& pass) { return same(pass, a, b, index); });
  }

  const TensorDecl& tensor_;
  std::span<const Pass> passes_;
  const Explainer& explainer_;
  Findings* findings_;
};

}  // namespace

void check_results(const Case& which, std::span<const Pass> passes, const Explainer& explainer,
                   Findings* findings) {
  for (const TensorDecl* tensor : tensors_of(which.geometry))
    if (is_result(tensor->role)) ResultCheck(*tensor, passes, explainer, findings).run();
}

void check_repeat(const Case& which, const TensorImages& first, const TensorImages& again,
                  const Explainer& explainer, Findings* findings) {
  findings->count(Check::determinism, 1, "runs");
  for (const TensorDecl* tensor : tensors_of(which.geometry)) {
    if (!is_result(tensor->role)) continue;
    const std::string& name = tensor->name;
    const TensorImage &a = first.at(name), &b = again.at(name);
    for_each_difference(a, b, [&](std::int64_t index) {
      if (findings->count_only(Check::determinism)) return;
      findings->add(
          Check::determinism, Status::nondeterministic,
          {.tensor = name,
           .index = index,
           .text = fmt::format("{} differs between two runs on the same inputs: {}, then "
                               "{}",
                               explainer.place(name, index), hex_of(a, index), hex_of(b, index))});
    });
  }
}

void check_compared(const Case& which, Findings* findings) {
  const std::vector<const TensorDecl*> tensors = tensors_of(which.geometry);
  const bool empty = std::all_of(tensors.begin(), tensors.end(), [&](const TensorDecl* tensor) {
    return shape_of(which, *tensor).elements() == 0;
  });
  if (empty || findings->any()) return;
  if (findings->comparisons(Check::exact) + findings->comparisons(Check::untouched) > 0) return;
  findings->add(Check::exact, Status::verification_failed,
                {.tensor = "",
                 .index = 0,
                 .text = "nothing was compared: the case has elements but no result"});
}

}  // namespace fusetune

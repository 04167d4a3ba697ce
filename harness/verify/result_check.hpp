#pragma once
// The passes of one result tensor, compared with what they should hold.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "harness/verify/compare.hpp"
#include "harness/verify/explain.hpp"
#include "harness/verify/findings.hpp"
#include "harness/verify/ladder.hpp"

namespace fusetune {

/// What both kinds of comparison need. An element is reported once, however many passes show it.
class ResultCheck {
 public:
  ResultCheck(const Case& which, const TensorDecl& tensor, std::span<const Pass> passes,
              const Explainer& explainer, Findings* findings);
  virtual ~ResultCheck() = default;
  ResultCheck(const ResultCheck&) = delete;
  ResultCheck& operator=(const ResultCheck&) = delete;

  virtual void run() = 0;

  const OutputMetrics& metrics() const { return metrics_; }
  bool any_wrong() const { return any_wrong_; }
  std::string map() const { return mismatch_map(wrong_, row_elements_); }

 protected:
  /// A pass with its images of the tensor.
  struct View {
    const Pass* pass = nullptr;
    const TensorImage *initial = nullptr, *expected = nullptr, *actual = nullptr;
  };
  using Image = const TensorImage* View::*;

  static bool same(const View& view, Image a, Image b, std::int64_t index) {
    return same_element(*(view.*a), *(view.*b), index);
  }
  bool in_all_passes(Image a, Image b, std::int64_t index) const {
    return std::all_of(views_.begin(), views_.end(),
                       [&](const View& view) { return same(view, a, b, index); });
  }

  /// Per element, as in_all_passes().
  std::vector<std::uint8_t> equal_in_all_passes(Image a, Image b) const;

  void report_unwritten(std::int64_t index);
  void report_touched(const View& view, std::int64_t index);
  template <typename MakeText>
  void report(Check check, Status status, std::int64_t index, const MakeText& make) {
    mark_wrong(index);
    if (!findings_->count_only(check)) findings_->add(check, status, make());
  }
  void mark_wrong(std::int64_t index);

  /// `check` compares what a correct run changes; the rest has to stay.
  void count(const View& view, Check check);

  /// Takes over what is worse than in the passes before.
  void merge(const LadderResult& result, const View& view);
  /// After the last merge().
  void name_worst();

  const TensorDecl& tensor_;
  std::vector<View> views_;
  const Explainer& explainer_;
  Findings* findings_;
  OutputMetrics metrics_;
  std::vector<bool> wrong_;
  bool any_wrong_ = false;

 private:
  std::int64_t row_elements_;
  const Pass* worst_pass_ = nullptr;
  double worst_share_ = 0;
  std::string worst_text_;
};

/// Byte for byte.
class ExactCheck : public ResultCheck {
 public:
  using ResultCheck::ResultCheck;
  void run() override;

 private:
  bool is_first_difference(const View& view, std::int64_t index) const;
  void sort(const View& view, std::int64_t index);
};

/// By the rules that the family declares.
class TolerantCheck : public ResultCheck {
 public:
  TolerantCheck(const Case& which, const TensorDecl& tensor, std::span<const Pass> passes,
                const Explainer& explainer, Findings* findings, double cosine_min);
  void run() override;

 private:
  const reference::Truth& truth(const View& view) const;
  /// Of codes: as a correct run makes them, or as the case gives them.
  const TensorImage* scales(const View& view) const;

  /// What nobody wrote and what had to stay is told by its bytes, before any value is judged.
  void sort(std::int64_t index);
  void sort_all();
  bool is_wrong(std::size_t pass, std::int64_t index) const;
  bool is_told_to_stay(std::size_t index) const;
  bool is_unwritten(std::int64_t index) const;
  bool must_stay(std::int64_t index) const;
  void report_value(const View& view, std::int64_t index);
  void judge_norms(const LadderResult& result, const View& view);

  Limits limits_;
  std::vector<LadderResult> results_;  ///< one for each pass
};

}  // namespace fusetune

#include "harness/verify/row_blocks.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "harness/base/parallel.hpp"
#include "harness/spec/plan.hpp"
#include "harness/verify/block_view.hpp"
#include "harness/verify/compare.hpp"
#include "harness/verify/problem.hpp"
#include "harness/verify/proof_sums.hpp"

namespace fusetune {

namespace {

class RowBlocks {
 public:
  RowBlocks(const Case& which, const reference::Reference& reference, std::span<const Pass> passes,
            const Findings& none, double cosine_min, std::int64_t block_elements)
      : which_(which),
        reference_(reference),
        passes_(passes),
        view_(which),
        cosine_min_(cosine_min),
        block_elements_(block_elements),
        findings_(none) {}

  /// False when anything is wrong.
  bool run() {
    bool any_whole = false;
    for (const TensorDecl* tensor : tensors_of(which_.geometry)) {
      if (!is_result(tensor->role) || view_.has_rows(tensor->name)) continue;
      any_whole = any_whole || view_.is_whole(tensor->name);
      changed_[tensor->name].assign(
          passes_.size(), std::vector<std::uint8_t>(
                              static_cast<std::size_t>(shape_of(which_, *tensor).elements())));
    }
    for_parts(which_.rows(), block_rows(any_whole), [this](std::int64_t first, std::int64_t past) {
      if (!is_wrong()) check(first, past - first);
    });
    return !findings_.any() && the_rest_stayed();
  }
  const Findings& findings() const { return findings_; }
  ResultMetrics metrics() const { return {outputs_, ""}; }

 private:
  bool is_wrong() {
    const std::lock_guard lock(mutex_);
    return findings_.any();
  }

  /// Where every block has the whole of a result, there had better be few.
  std::int64_t block_rows(bool any_whole) const {
    const std::int64_t rows = which_.rows();
    if (any_whole) return (rows + parallel_threads() - 1) / parallel_threads();
    std::int64_t elements = rows;
    for (const TensorDecl* tensor : tensors_of(which_.geometry))
      if (tensor->role != Role::workspace && view_.has_rows(tensor->name))
        elements = std::max(elements, shape_of(which_, *tensor).elements());
    return std::max<std::int64_t>(1, block_elements_ / (elements / rows));
  }

  Pass part_of(const Pass& whole, const Case& block_case, const Block& block) const {
    Pass pass;
    pass.poison = whole.poison;
    pass.name = whole.name;
    for (const TensorDecl* tensor : tensors_of(which_.geometry)) {
      pass.initial[tensor->name];  // of a workspace, that there is one
      if (tensor->role == Role::workspace) continue;
      const TensorShape shape = shape_of(block_case, *tensor);
      const auto take = [&](const TensorImages& from, TensorImages& to) {
        to[tensor->name] = view_.slice(tensor->name, from.at(tensor->name), shape, block);
      };
      take(whole.initial, pass.initial);
      if (is_result(tensor->role)) take(whole.actual, pass.actual);
    }
    view_.rename_slots(block, &pass.initial);
    return pass;
  }

  void check(std::int64_t first, std::int64_t rows) {
    std::vector<const TensorImages*> inputs;
    for (const Pass& pass : passes_) inputs.push_back(&pass.initial);
    const std::vector<Block> blocks = view_.blocks(inputs, first, rows);
    const Case block_case = view_.case_of(blocks.front());
    std::vector<Pass> passes;
    for (std::size_t i = 0; i < passes_.size(); ++i) {
      Pass& pass = passes.emplace_back(part_of(passes_[i], block_case, blocks[i]));
      pass.expected =
          expected_results(block_case, reference_, pass.initial, pass.poison, &pass.truths.own());
      if (!changed_.empty()) keep_own(block_case, blocks[i], i, pass);
    }
    const Explainer explainer(block_case, &reference_, nullptr, passes);
    Findings found = findings_.none_yet();
    ResultMetrics metrics = check_results(block_case, passes, explainer, &found, cosine_min_);
    // Places of a block are none of the case.
    for (OutputMetrics& output : metrics.outputs) {
      output.worst_index = -1;
      output.worst.clear();
    }
    const std::lock_guard lock(mutex_);
    findings_.absorb(found);
    add_outputs(outputs_, metrics.outputs);
  }

  /// What the reference tells of it.
  static const std::vector<bool>* kept_of(const Pass& pass, const std::string& name) {
    const auto truth = pass.truths.find(name);
    return truth == pass.truths.end() || truth->second.kept.empty() ? nullptr : &truth->second.kept;
  }

  /// Whatever is written differs from one of two contents, each the other's opposite.
  TensorImages opposite_of(const TensorImages& initial) const {
    TensorImages opposite = initial;
    for (const auto& [name, changed] : changed_)
      for (std::byte& byte : opposite.at(name).bytes) byte = ~byte;
    return opposite;
  }

  /// What this block changes of results without rows keeps what it holds; what others may have made
  /// of the rest is taken back.
  void keep_own(const Case& block_case, const Block& block, std::size_t number, Pass& pass) {
    std::optional<TensorImages> opposite, others;
    for (const auto& [name, changed] : changed_) {
      const TensorImage& initial = pass.initial.at(name);
      std::vector<std::uint8_t> stays(static_cast<std::size_t>(initial.shape.elements()), 1);
      if (const std::vector<bool>* kept = kept_of(pass, name)) {
        std::copy(kept->begin(), kept->end(), stays.begin());
      } else {
        if (!others) {
          opposite = opposite_of(pass.initial);
          others = expected_results(block_case, reference_, *opposite, pass.poison);
        }
        keep_equal(pass.expected.at(name), initial, stays);
        keep_equal(others->at(name), opposite->at(name), stays);
      }
      mark_changed(name, number, block, stays);
      TensorImage own = initial;
      std::byte* const to = own.bytes.data();
      const std::byte* const from = std::as_const(pass.actual.at(name).bytes).data();
      for (std::size_t i = 0; i < stays.size(); ++i) {
        if (stays[i] != 0) continue;
        const std::size_t at = own.offset_of(static_cast<std::int64_t>(i));
        std::memcpy(to + at, from + at, static_cast<std::size_t>(own.element_bytes()));
      }
      pass.actual[name] = std::move(own);
    }
  }

  void mark_changed(const std::string& name, std::size_t number, const Block& block,
                    const std::vector<std::uint8_t>& stays) {
    std::vector<std::uint8_t>& changed = changed_.at(name)[number];
    const std::lock_guard lock(mutex_);
    view_.for_runs(name, std::ssize(stays), block,
                   [&](std::int64_t whole, std::int64_t at, std::int64_t elements) {
                     for (std::int64_t i = 0; i < elements; ++i)
                       if (stays[static_cast<std::size_t>(at + i)] == 0)
                         changed[static_cast<std::size_t>(whole + i)] = 1;
                   });
  }

  bool the_rest_stayed() const {
    for (const auto& [name, changed] : changed_)
      for (std::size_t number = 0; number < passes_.size(); ++number) {
        bool stayed = true;
        const Pass& pass = passes_[number];
        const std::vector<std::uint8_t>& may_change = changed[number];
        for_each_difference(pass.actual.at(name), pass.initial.at(name), [&](std::int64_t index) {
          stayed = stayed && may_change[static_cast<std::size_t>(index)] != 0;
        });
        if (!stayed) return false;
      }
    return true;
  }

  const Case& which_;
  const reference::Reference& reference_;
  std::span<const Pass> passes_;
  BlockView view_;
  /// Of results without rows: per pass and element.
  std::map<std::string, std::vector<std::vector<std::uint8_t>>> changed_;
  double cosine_min_;
  std::int64_t block_elements_;
  std::mutex mutex_;
  Findings findings_;
  std::vector<OutputMetrics> outputs_;
};

/// Where each block makes the whole of a result, one thread had better make it once.
bool is_worth_it(const Case& which) {
  const BlockView view(which);
  bool any_rows = false, any_whole = false;
  for (const TensorDecl* tensor : tensors_of(which.geometry)) {
    if (tensor->role == Role::workspace) continue;
    any_rows = any_rows || view.has_rows(tensor->name);
    any_whole = any_whole || (is_result(tensor->role) && view.is_whole(tensor->name));
  }
  return any_rows && (!any_whole || parallel_threads() > 1);
}

}  // namespace

bool is_judged_by_rows(const Case& which) {
  const Family& family = *which.geometry.family;
  if (which.rows() < 2 || family.has_captured_truth() || !has_independent_rows(which.geometry))
    return false;
  try {
    return is_worth_it(which);
  } catch (const std::exception&) {
    return false;
  }
}

std::optional<ResultMetrics> check_by_rows(const Case& which, const reference::Reference& reference,
                                           std::span<const Pass> passes, Findings* findings,
                                           double cosine_min, std::int64_t block_elements) {
  RowBlocks blocks(which, reference, passes, findings->none_yet(), cosine_min, block_elements);
  if (!blocks.run()) return std::nullopt;
  findings->absorb(blocks.findings());
  return blocks.metrics();
}

}  // namespace fusetune

#include "harness/verify/row_blocks.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "harness/base/parallel.hpp"
#include "harness/spec/plan.hpp"
#include "harness/verify/compare.hpp"
#include "harness/verify/problem.hpp"
#include "harness/verify/proof_sums.hpp"
#include "harness/verify/row_view.hpp"

namespace fusetune {

namespace {

constexpr std::int64_t kBlockElements = 128 << 10;  // of the largest tensor

using Dimensions = std::map<std::string, std::optional<RowDimension>>;

Case at_row_count(const Case& which, std::int64_t rows) {
  Case one = which;
  one.runtime[which.geometry.family->rows] = rows;
  return one;
}

/// Of every tensor that a reference sees. Throws std::runtime_error where one follows the rows
/// otherwise.
Dimensions dimensions_of(const Case& which) {
  const std::int64_t rows = which.rows();
  const Case other = at_row_count(which, rows - 1);
  Dimensions dimensions;
  for (const TensorDecl* tensor : tensors_of(which.geometry))
    if (tensor->role != Role::workspace)
      dimensions[tensor->name] = row_dimension(*tensor, shape_of(which, *tensor), rows,
                                               shape_of(other, *tensor), rows - 1);
  return dimensions;
}

/// Every block has the whole of a result without rows.
std::int64_t block_rows(const Case& which, bool any_whole) {
  if (any_whole) return (which.rows() + parallel_threads() - 1) / parallel_threads();
  std::int64_t elements = 1;
  for (const TensorDecl* tensor : tensors_of(which.geometry))
    elements = std::max(elements, shape_of(which, *tensor).elements());
  return std::max<std::int64_t>(
      1, kBlockElements / std::max<std::int64_t>(1, elements / which.rows()));
}

/// The rows of an image that a block has.
TensorImage slice(const TensorImage& whole, const std::optional<RowDimension>& dimension,
                  const TensorShape& shape, std::int64_t rows, std::int64_t first,
                  std::int64_t block) {
  if (!dimension) return whole;
  TensorImage part(shape);
  std::byte* to = part.bytes.data();
  for_rows(*dimension, {rows, first}, {block, 0}, block,
           [&](std::int64_t from, std::int64_t at, std::int64_t elements) {
             std::memcpy(to + part.offset_of(at), whole.element(from),
                         static_cast<std::size_t>(elements * whole.element_bytes()));
           });
  return part;
}

class RowBlocks {
 public:
  RowBlocks(const Case& which, const reference::Reference& reference, std::span<const Pass> passes,
            const Findings& none, double cosine_min)
      : which_(which),
        reference_(reference),
        passes_(passes),
        dimensions_(dimensions_of(which)),
        cosine_min_(cosine_min),
        findings_(none) {}

  /// False when anything is wrong.
  bool run() {
    for (const TensorDecl* tensor : tensors_of(which_.geometry))
      if (is_result(tensor->role) && !dimensions_.at(tensor->name))
        changed_[tensor->name].assign(
            passes_.size(), std::vector<std::uint8_t>(
                                static_cast<std::size_t>(shape_of(which_, *tensor).elements())));
    for_parts(which_.rows(), block_rows(which_, !changed_.empty()),
              [this](std::int64_t first, std::int64_t past) {
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

  void check(std::int64_t first, std::int64_t rows) {
    const Case block = at_row_count(which_, rows);
    std::vector<Pass> passes;
    for (const Pass& whole : passes_) {
      Pass& pass = passes.emplace_back();
      pass.poison = whole.poison;
      pass.name = whole.name;
      for (const TensorDecl* tensor : tensors_of(which_.geometry)) {
        pass.initial[tensor->name];  // of a workspace, that there is one
        if (tensor->role == Role::workspace) continue;
        const TensorShape shape = shape_of(block, *tensor);
        const auto take = [&](const TensorImages& from, TensorImages& to) {
          to[tensor->name] = slice(from.at(tensor->name), dimensions_.at(tensor->name), shape,
                                   which_.rows(), first, rows);
        };
        take(whole.initial, pass.initial);
        if (is_result(tensor->role)) take(whole.actual, pass.actual);
      }
      pass.expected =
          expected_results(block, reference_, pass.initial, pass.poison, &pass.truths.own());
    }
    if (!changed_.empty())
      for (std::size_t number = 0; number < passes.size(); ++number)
        keep_own(block, number, passes[number]);
    const Explainer explainer(block, &reference_, nullptr, passes);
    Findings found = findings_.none_yet();
    ResultMetrics metrics = check_results(block, passes, explainer, &found, cosine_min_);
    // Places of a block are none of the case.
    for (OutputMetrics& output : metrics.outputs) {
      output.worst_index = -1;
      output.worst.clear();
    }
    const std::lock_guard lock(mutex_);
    findings_.absorb(found);
    add_outputs(outputs_, metrics.outputs);
  }

  /// What this block changes of results without rows keeps what it holds; what others may have made
  /// of the rest is taken back.
  void keep_own(const Case& block, std::size_t number, Pass& pass) {
    // Whatever is written differs from one of two contents, each the other's opposite.
    TensorImages opposite = pass.initial;
    for (const auto& [name, changed] : changed_)
      for (std::byte& byte : opposite.at(name).bytes) byte = ~byte;
    const TensorImages others = expected_results(block, reference_, opposite, pass.poison);
    for (auto& [name, changed] : changed_) {
      std::vector<std::uint8_t> stays(changed[number].size(), 1);
      keep_equal(pass.expected.at(name), pass.initial.at(name), stays);
      keep_equal(others.at(name), opposite.at(name), stays);
      TensorImage own = pass.initial.at(name);
      std::byte* const to = own.bytes.data();
      const std::byte* const from = std::as_const(pass.actual.at(name).bytes).data();
      const std::lock_guard lock(mutex_);
      for (std::size_t i = 0; i < stays.size(); ++i) {
        if (stays[i] != 0) continue;
        changed[number][i] = 1;
        const std::size_t at = own.offset_of(static_cast<std::int64_t>(i));
        std::memcpy(to + at, from + at, static_cast<std::size_t>(own.element_bytes()));
      }
      pass.actual[name] = std::move(own);
    }
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
  Dimensions dimensions_;
  /// Of results without rows: per pass and element.
  std::map<std::string, std::vector<std::vector<std::uint8_t>>> changed_;
  double cosine_min_;
  std::mutex mutex_;
  Findings findings_;
  std::vector<OutputMetrics> outputs_;
};

/// Each block makes the whole of a result without rows: one thread had better make it once.
bool is_worth_it(const Case& which, const Dimensions& dimensions) {
  bool any_rows = false, any_whole = false;
  for (const TensorDecl* tensor : tensors_of(which.geometry)) {
    if (tensor->role == Role::workspace) continue;
    const bool has_rows = dimensions.at(tensor->name).has_value();
    any_rows = any_rows || has_rows;
    any_whole = any_whole || (is_result(tensor->role) && !has_rows);
  }
  return any_rows && (!any_whole || parallel_threads() > 1);
}

}  // namespace

bool is_judged_by_rows(const Case& which) {
  const Family& family = *which.geometry.family;
  if (which.rows() < 2 || family.has_captured_truth() || !has_independent_rows(which.geometry))
    return false;
  try {
    return is_worth_it(which, dimensions_of(which));
  } catch (const std::exception&) {
    return false;
  }
}

std::optional<ResultMetrics> check_by_rows(const Case& which, const reference::Reference& reference,
                                           std::span<const Pass> passes, Findings* findings,
                                           double cosine_min) {
  RowBlocks blocks(which, reference, passes, findings->none_yet(), cosine_min);
  if (!blocks.run()) return std::nullopt;
  findings->absorb(blocks.findings());
  return blocks.metrics();
}

}  // namespace fusetune

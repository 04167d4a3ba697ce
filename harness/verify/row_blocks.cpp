#include "harness/verify/row_blocks.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <vector>

#include "harness/base/parallel.hpp"
#include "harness/spec/plan.hpp"
#include "harness/verify/problem.hpp"
#include "harness/verify/proof_sums.hpp"
#include "harness/verify/row_view.hpp"

namespace fusetune {

namespace {

constexpr std::int64_t kBlockElements = 128 << 10;  // of the largest tensor

using Dimensions = std::map<std::string, std::optional<RowDimension>>;

Case with_rows(const Case& which, std::int64_t rows) {
  Case one = which;
  one.runtime[which.geometry.family->rows] = rows;
  return one;
}

/// Of every tensor that a reference sees. Throws std::runtime_error where one follows the rows
/// otherwise.
Dimensions dimensions_of(const Case& which) {
  const std::int64_t rows = which.rows();
  const Case other = with_rows(which, rows - 1);
  Dimensions dimensions;
  for (const TensorDecl* tensor : tensors_of(which.geometry))
    if (tensor->role != Role::workspace)
      dimensions[tensor->name] = row_dimension(*tensor, shape_of(which, *tensor), rows,
                                               shape_of(other, *tensor), rows - 1);
  return dimensions;
}

std::int64_t block_rows(const Case& which) {
  std::int64_t elements = 1;
  for (const TensorDecl* tensor : tensors_of(which.geometry))
    elements = std::max(elements, shape_of(which, *tensor).elements());
  return std::max<std::int64_t>(1, kBlockElements / std::max<std::int64_t>(1, elements / which.rows()));
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
    for_parts(which_.rows(), block_rows(which_), [this](std::int64_t first, std::int64_t past) {
      if (!is_wrong()) check(first, past - first);
    });
    return !findings_.any();
  }
  const Findings& findings() const { return findings_; }
  ResultMetrics metrics() const { return {outputs_, ""}; }

 private:
  bool is_wrong() {
    const std::lock_guard lock(mutex_);
    return findings_.any();
  }

  void check(std::int64_t first, std::int64_t rows) {
    const Case block = with_rows(which_, rows);
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

  const Case& which_;
  const reference::Reference& reference_;
  std::span<const Pass> passes_;
  Dimensions dimensions_;
  double cosine_min_;
  std::mutex mutex_;
  Findings findings_;
  std::vector<OutputMetrics> outputs_;
};

}  // namespace

bool is_judged_by_rows(const Case& which) {
  const Family& family = *which.geometry.family;
  if (which.rows() < 2 || family.has_captured_truth() || !has_independent_rows(which.geometry))
    return false;
  try {
    const Dimensions dimensions = dimensions_of(which);
    return std::all_of(family.tensors.begin(), family.tensors.end(), [&](const TensorDecl& tensor) {
      const auto found = dimensions.find(tensor.name);
      return !is_result(tensor.role) || found == dimensions.end() || found->second.has_value();
    });
  } catch (const std::exception&) {
    return false;
  }
}

std::optional<ResultMetrics> check_by_rows(const Case& which,
                                           const reference::Reference& reference,
                                           std::span<const Pass> passes, Findings* findings,
                                           double cosine_min) {
  RowBlocks blocks(which, reference, passes, findings->none_yet(), cosine_min);
  if (!blocks.run()) return std::nullopt;
  findings->absorb(blocks.findings());
  return blocks.metrics();
}

}  // namespace fusetune

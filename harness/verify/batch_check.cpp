#include "harness/verify/batch_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <utility>

#include "harness/base/hash.hpp"
#include "harness/spec/plan.hpp"
#include "harness/verify/inputs.hpp"
#include "harness/verify/row_view.hpp"
#include "harness/verify/runner.hpp"

namespace fusetune {

namespace {

/// Calls of one row count, over rows spread evenly over the batch.
constexpr std::int64_t kWindowsMin = 2, kWindowsMax = 8;

/// `batch` with another number of rows and everything else as it is.
Case with_rows(const Case& batch, std::int64_t rows) {
  Case one = cases_at_rows(batch, rows).front();
  for (const auto& [name, value] : batch.runtime)
    if (name != batch.geometry.family->rows) one.runtime[name] = value;
  return one;
}

std::uint64_t bits_of(const TensorImage& image, std::int64_t index) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, image.element(index), static_cast<std::size_t>(image.element_bytes()));
  return bits;
}

/// Elements of one tensor in one piece, which a run of for_rows() has.
bool same_run(const TensorImage& a, std::int64_t at_a, const TensorImage& b, std::int64_t at_b,
              std::int64_t elements) {
  return std::memcmp(a.element(at_a), b.element(at_b),
                     static_cast<std::size_t>(elements * a.element_bytes())) == 0;
}

std::string digest_of(const TensorImages& results) {
  std::string text;
  for (const auto& [name, image] : results) {
    std::uint64_t hash = 0;
    for (std::int64_t row = 0; row < image.filled_rows(); ++row)
      hash = hash64(image.element(row * image.shape.row_elements),
                    static_cast<std::size_t>(image.row_bytes()), hash);
    text += fmt::format("{}:{:x};", name, hash);
  }
  return hash_hex(text);
}

bool is_slot_table(const TensorDecl& tensor) {
  return tensor.generator.kind == Generator::Kind::named &&
         (tensor.generator.name == "slots" || tensor.generator.name == "slot_runs");
}

/// Rows of the batch among those of another case.
struct RowsShared {
  std::int64_t from_batch = 0;
  std::int64_t from_other = 0;
  std::int64_t count = 0;
};

class BatchCheck {
 public:
  BatchCheck(Device& device, const VariantAt& variant_at, const Case& batch, std::uint64_t seed,
             BatchInvariance* found)
      : device_(device), variant_at_(variant_at), batch_(batch), seed_(seed), found_(*found) {}

  Outcome run(const std::vector<std::int64_t>& row_counts) {
    found_.rows = batch_.rows();
    std::copy_if(row_counts.begin(), row_counts.end(), std::back_inserter(found_.row_counts),
                 [this](std::int64_t rows) { return rows > 0 && rows != batch_.rows(); });
    std::string digests;
    for (const int pass : passes()) {
      pass_ = pass;
      if (!run_pass()) return outcome_;
      digests += digest_of(results_);
    }
    found_.digest = hash_hex(digests);
    return outcome_;
  }

 private:
  /// Ordinary values, and where there are such those whose sums are rounded at every step: of a row
  /// of few bits every order of additions gives the same.
  std::vector<int> passes() const {
    const Inputs inputs(batch_, seed_);
    std::vector<int> passes{0};
    for (int pass = 1; pass < inputs.passes(); ++pass)
      if (const std::string name = inputs.pass_name(pass); name == "wide") passes.push_back(pass);
    return passes;
  }

  /// False when a run failed.
  bool run_pass() {
    initial_ = Inputs(batch_, seed_).images(pass_, Poison::a);
    const auto results = run_case(batch_, initial_);
    if (!results) return false;
    results_ = *results;
    if (found_.difference.empty())
      for (const std::int64_t rows : found_.row_counts)
        if (!compare_at(rows)) break;
    return outcome_.ok();
  }

  /// False when a run failed or differs.
  bool compare_at(std::int64_t rows) {
    const Case other = with_rows(batch_, rows);
    if (rows > batch_.rows()) return compare_at(other, {0, rows - batch_.rows(), batch_.rows()});
    const std::int64_t last = batch_.rows() - rows;
    const std::int64_t windows = std::clamp(batch_.rows() / rows, kWindowsMin, kWindowsMax);
    for (std::int64_t window = 0; window < windows; ++window)
      if (!compare_at(other, {last * window / (windows - 1), 0, rows})) return false;
    return true;
  }

  bool compare_at(const Case& other, const RowsShared& place) {
    const TensorImages initial = initial_of(other, place);
    const auto results = run_case(other, initial);
    if (!results) return false;
    for (const TensorDecl* tensor : tensors_of(other.geometry))
      if (is_result(tensor->role) && !compare(*tensor, other, place, initial, *results))
        return false;
    return true;
  }

  std::optional<RowDimension> rows_of(const TensorDecl& tensor, const Case& other) const {
    return row_dimension(tensor, shape_of(other, tensor), other.rows(), shape_of(batch_, tensor),
                         batch_.rows());
  }

  /// What the other case holds: rows of the batch at their place, and all else of the batch. Rows
  /// before them, where it has more than the batch, are its own and have no slots: slots of the
  /// batch are not to be theirs as well.
  TensorImages initial_of(const Case& other, const RowsShared& place) const {
    TensorImages images = Inputs(other, seed_).images(pass_, Poison::a);
    for (const TensorDecl* tensor : tensors_of(other.geometry)) {
      if (!is_filled(tensor->role)) continue;
      TensorImage& to = images.at(tensor->name);
      const TensorImage& from = initial_.at(tensor->name);
      const auto dimension = rows_of(*tensor, other);
      if (!dimension) {
        to = from;
        continue;
      }
      if (is_slot_table(*tensor)) std::fill(to.bytes.begin(), to.bytes.end(), std::byte{0xFF});
      for_rows(*dimension, {other.rows(), place.from_other}, {batch_.rows(), place.from_batch},
               place.count, [&](std::int64_t at, std::int64_t at_batch, std::int64_t elements) {
                 std::memcpy(to.bytes.data() + to.offset_of(at), from.element(at_batch),
                             static_cast<std::size_t>(elements * to.element_bytes()));
               });
    }
    return images;
  }

  std::optional<TensorImages> run_case(const Case& which, const TensorImages& initial) {
    Arena arena(device_, which, Place::low, seed_);
    Findings findings;
    const RunnableVariant variant = variant_at_(which);
    auto results = Runner(device_, variant, which, nullptr, &findings).run(arena, initial, 0);
    if (results && !findings.any()) return results;
    ProofReport report;
    findings.conclude(&report);
    outcome_ = report.outcome;
    outcome_.message = fmt::format("at {} rows: {}", which.rows(), outcome_.message);
    return std::nullopt;
  }

  bool compare(const TensorDecl& tensor, const Case& other, const RowsShared& place,
               const TensorImages& initial, const TensorImages& results) {
    const TensorImage& actual = results.at(tensor.name);
    const TensorImage& of_batch = results_.at(tensor.name);
    if (const auto dimension = rows_of(tensor, other))
      for_rows(*dimension, {other.rows(), place.from_other}, {batch_.rows(), place.from_batch},
               place.count, [&](std::int64_t at, std::int64_t at_batch, std::int64_t elements) {
                 found_.bytes += elements * actual.element_bytes();
                 if (!same_run(actual, at, of_batch, at_batch, elements))
                   report_run(tensor, other, {actual, at}, {of_batch, at_batch}, elements,
                              at_batch / dimension->inner % batch_.rows());
               });
    else
      compare_changed(tensor, other, initial.at(tensor.name), actual, of_batch);
    return found_.difference.empty();
  }

  /// More rows than the batch has may change more, but not what the batch changed.
  void compare_changed(const TensorDecl& tensor, const Case& other, const TensorImage& initial,
                       const TensorImage& actual, const TensorImage& of_batch) {
    const bool fewer = other.rows() < batch_.rows();
    const TensorImage& changed = fewer ? actual : of_batch;
    for (std::int64_t i = 0; i < actual.filled_rows() * actual.shape.row_elements; ++i) {
      if (same_run(changed, i, initial, i, 1)) continue;
      found_.bytes += actual.element_bytes();
      if (!same_run(actual, i, of_batch, i, 1))
        report(tensor, fmt::format("element {}", i), bits_of(actual, i), other.rows(),
               bits_of(of_batch, i));
    }
  }

  struct At {
    const TensorImage& image;
    std::int64_t first;
  };
  void report_run(const TensorDecl& tensor, const Case& other, const At& actual, const At& batch,
                  std::int64_t elements, std::int64_t row) {
    for (std::int64_t i = 0; i < elements; ++i)
      if (!same_run(actual.image, actual.first + i, batch.image, batch.first + i, 1))
        return report(tensor, fmt::format("row {}, element {}", row, i),
                      bits_of(actual.image, actual.first + i), other.rows(),
                      bits_of(batch.image, batch.first + i));
  }

  void report(const TensorDecl& tensor, const std::string& where, std::uint64_t bits,
              std::int64_t rows, std::uint64_t bits_of_batch) {
    if (!found_.difference.empty()) return;
    found_.difference = fmt::format("{} of {}: {:#x} among {} rows, {:#x} among {}", where,
                                    tensor.name, bits, rows, bits_of_batch, batch_.rows());
  }

  Device& device_;
  const VariantAt& variant_at_;
  const Case& batch_;
  std::uint64_t seed_;
  BatchInvariance& found_;
  int pass_ = 0;
  Outcome outcome_;  ///< of the device
  TensorImages initial_, results_;
};

}  // namespace

Json to_json(const BatchInvariance& batch) {
  return {{"rows", batch.rows},
          {"row_counts", batch.row_counts},
          {"bytes", batch.bytes},
          {"difference", batch.difference},
          {"digest", batch.digest}};
}

BatchInvariance batch_invariance_from_json(const Json& json) {
  BatchInvariance batch;
  batch.rows = json.at("rows").get<std::int64_t>();
  batch.row_counts = json.at("row_counts").get<std::vector<std::int64_t>>();
  batch.bytes = json.at("bytes").get<std::int64_t>();
  batch.difference = json.at("difference").get<std::string>();
  batch.digest = json.at("digest").get<std::string>();
  return batch;
}

Outcome check_batches(Device& device, const VariantAt& variant_at, const Case& batch,
                      const std::vector<std::int64_t>& row_counts, std::uint64_t seed,
                      BatchInvariance* found) {
  try {
    return BatchCheck(device, variant_at, batch, seed, found).run(row_counts);
  } catch (const EvalError& error) {
    return {Status::launch_error, error.what()};
  } catch (const std::runtime_error& error) {
    found->difference = error.what();
    return {};
  }
}

}  // namespace fusetune

#include "harness/verify/batch_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

#include "harness/base/hash.hpp"
#include "harness/device/device_error.hpp"
#include "harness/spec/plan.hpp"
#include "harness/verify/inputs.hpp"
#include "harness/verify/row_view.hpp"
#include "harness/verify/runner.hpp"

namespace fusetune {

namespace {

/// Calls of one row count, over rows spread evenly over the batch.
constexpr std::int64_t kWindowsMin = 4, kWindowsMax = 64;

/// `batch` with another number of rows and everything else as it is.
Case with_rows(const Case& batch, std::int64_t rows) {
  Case one = cases_at_rows(batch, rows).front();
  for (const auto& [name, value] : batch.runtime)
    if (name != batch.geometry.family->rows) one.runtime[name] = value;
  return one;
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
         named_generator(tensor.generator.name).gives_slots;
}

/// The case at another row count, for all its runs: the same memory and launches, and of the inputs
/// only the rows change.
struct OtherBatch {
  Case which;
  Arena arena;
  RunnableVariant variant;
  TensorImages images;
  std::map<std::string, std::optional<RowDimension>, std::less<>> dimensions;
};

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
      : device_(device), exchange_(device), variant_at_(variant_at), batch_(batch), seed_(seed), found_(*found) {}

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
    const auto results = run_batch();
    if (!results) return false;
    results_ = *results;
    if (found_.difference.empty())
      for (const std::int64_t rows : found_.row_counts)
        if (!compare_at(rows)) break;
    return outcome_.ok();
  }

  /// False when a run failed or differs.
  bool compare_at(std::int64_t rows) {
    OtherBatch other = other_batch(rows);
    if (rows > batch_.rows()) return compare_at(other, {0, rows - batch_.rows(), batch_.rows()});
    const std::int64_t last = batch_.rows() - rows;
    const std::int64_t windows = windows_of(rows);
    for (std::int64_t window = 0; window < windows; ++window)
      if (!compare_at(other, {last * window / (windows - 1), 0, rows})) return false;
    return true;
  }

  /// A call of few rows costs as much as one of many and compares less.
  std::int64_t windows_of(std::int64_t rows) const {
    const std::int64_t wanted = std::clamp<std::int64_t>(rows / 2, kWindowsMin, kWindowsMax);
    return std::clamp<std::int64_t>(batch_.rows() / (2 * rows), 2, wanted);
  }

  bool compare_at(OtherBatch& other, const RowsShared& place) {
    take_rows(other, place);
    const auto results = run_in(other);
    if (!results) return false;
    for (const TensorDecl* tensor : tensors_of(other.which.geometry))
      if (is_result(tensor->role) && !compare(*tensor, other, place, *results)) return false;
    return true;
  }

  /// Holds all that the batch holds but its rows. Rows of its own, where it has more than the
  /// batch, have no slots: slots of the batch are not to be theirs as well.
  OtherBatch other_batch(std::int64_t rows) {
    const Case which = with_rows(batch_, rows);
    OtherBatch other{which,
                     Arena(device_, which, Place::low, seed_),
                     variant_at_(which),
                     rows > batch_.rows() ? Inputs(which, seed_).images(pass_, Poison::a)
                                          : poisoned_images(which, Poison::a),
                     {}};
    for (const TensorDecl* tensor : tensors_of(which.geometry)) {
      if (tensor->role == Role::workspace) continue;
      auto& dimension = other.dimensions[tensor->name] = row_dimension(
          *tensor, shape_of(which, *tensor), rows, shape_of(batch_, *tensor), batch_.rows());
      if (!is_filled(tensor->role)) continue;
      TensorImage& image = other.images.at(tensor->name);
      if (!dimension) image = initial_.at(tensor->name);
      if (is_slot_table(*tensor))
        std::fill(image.bytes.begin(), image.bytes.end(), std::byte{0xFF});
    }
    return other;
  }

  void take_rows(OtherBatch& other, const RowsShared& place) const {
    for (const auto& [name, dimension] : other.dimensions) {
      if (!dimension || !is_filled(batch_.geometry.family->find_tensor(name)->role)) continue;
      TensorImage& to = other.images.at(name);
      const TensorImage& from = initial_.at(name);
      for_rows(*dimension, {other.which.rows(), place.from_other},
               {batch_.rows(), place.from_batch}, place.count,
               [&](std::int64_t at, std::int64_t at_batch, std::int64_t elements) {
                 std::memcpy(to.bytes.data() + to.offset_of(at), from.element(at_batch),
                             static_cast<std::size_t>(elements * to.element_bytes()));
               });
    }
  }

  std::optional<TensorImages> run_batch() {
    Arena arena(device_, batch_, Place::low, seed_);
    return run_in(arena, variant_at_(batch_), batch_, initial_);
  }
  std::optional<TensorImages> run_in(OtherBatch& other) {
    return run_in(other.arena, other.variant, other.which, other.images);
  }

  std::optional<TensorImages> run_in(Arena& arena, const RunnableVariant& variant,
                                     const Case& which, const TensorImages& initial) {
    Findings findings;
    auto results = Runner(device_, exchange_, variant, which, nullptr, &findings).run(arena, initial, 0);
    if (results && !findings.any()) return results;
    ProofReport report;
    findings.conclude(&report);
    outcome_ = report.outcome;
    outcome_.message = fmt::format("at {} rows: {}", which.rows(), outcome_.message);
    return std::nullopt;
  }

  bool compare(const TensorDecl& tensor, const OtherBatch& other, const RowsShared& place,
               const TensorImages& results) {
    const TensorImage& actual = results.at(tensor.name);
    const TensorImage& of_batch = results_.at(tensor.name);
    const std::int64_t rows = other.which.rows();
    if (const auto& dimension = other.dimensions.at(tensor.name))
      for_rows(*dimension, {rows, place.from_other}, {batch_.rows(), place.from_batch}, place.count,
               [&](std::int64_t at, std::int64_t at_batch, std::int64_t elements) {
                 found_.bytes += elements * actual.element_bytes();
                 if (!same_run(actual, at, of_batch, at_batch, elements))
                   report_run(tensor, rows, {actual, at}, {of_batch, at_batch}, elements,
                              at_batch / dimension->inner % batch_.rows());
               });
    else
      compare_changed(tensor, rows, other.images.at(tensor.name), actual, of_batch);
    return found_.difference.empty();
  }

  /// More rows than the batch has may change more, but not what the batch changed.
  void compare_changed(const TensorDecl& tensor, std::int64_t rows, const TensorImage& initial,
                       const TensorImage& actual, const TensorImage& of_batch) {
    const bool fewer = rows < batch_.rows();
    const TensorImage& changed = fewer ? actual : of_batch;
    const std::int64_t width = actual.shape.row_elements;
    for (std::int64_t row = 0; row < actual.filled_rows(); ++row) {
      if (same_run(changed, row * width, initial, row * width, width)) continue;
      for (std::int64_t i = row * width; i < (row + 1) * width; ++i) {
        if (same_run(changed, i, initial, i, 1)) continue;
        found_.bytes += actual.element_bytes();
        if (!same_run(actual, i, of_batch, i, 1))
          report(tensor, fmt::format("element {}", i), bits_at(actual, i), rows,
                 bits_at(of_batch, i));
      }
    }
  }

  struct At {
    const TensorImage& image;
    std::int64_t first;
  };
  void report_run(const TensorDecl& tensor, std::int64_t rows, const At& actual, const At& batch,
                  std::int64_t elements, std::int64_t row) {
    for (std::int64_t i = 0; i < elements; ++i)
      if (!same_run(actual.image, actual.first + i, batch.image, batch.first + i, 1))
        return report(tensor, fmt::format("row {}, element {}", row, i),
                      bits_at(actual.image, actual.first + i), rows,
                      bits_at(batch.image, batch.first + i));
  }

  void report(const TensorDecl& tensor, const std::string& where, std::uint64_t bits,
              std::int64_t rows, std::uint64_t bits_of_batch) {
    if (!found_.difference.empty()) return;
    found_.difference = fmt::format("{} of {}: {:#x} among {} rows, {:#x} among {}", where,
                                    tensor.name, bits, rows, bits_of_batch, batch_.rows());
  }

  Device& device_;
  PlainExchange exchange_;
  const VariantAt& variant_at_;
  const Case& batch_;
  std::uint64_t seed_;
  BatchInvariance& found_;
  int pass_ = 0;
  Outcome outcome_;  ///< of the device
  TensorImages initial_, results_;
};

}  // namespace

Outcome check_batches(Device& device, const VariantAt& variant_at, const Case& batch,
                      const std::vector<std::int64_t>& row_counts, std::uint64_t seed,
                      BatchInvariance* found) {
  try {
    return BatchCheck(device, variant_at, batch, seed, found).run(row_counts);
  } catch (const EvalError& error) {
    return {Status::launch_error, error.what()};
  } catch (const DeviceError& error) {
    return {error.status(), error.what()};
  } catch (const std::runtime_error& error) {
    found->difference = error.what();
    return {};
  }
}

}  // namespace fusetune

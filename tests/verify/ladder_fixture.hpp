#pragma once
// Outputs with their truth, for tests of the ladder.

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "harness/verify/codec.hpp"
#include "harness/verify/ladder.hpp"

namespace fusetune::test {

inline TensorImage image_of(DType dtype, std::vector<std::int64_t> dims) {
  TensorShape shape;
  shape.dims = std::move(dims);
  shape.row_elements = 1;
  for (std::size_t d = 1; d < shape.dims.size(); ++d) shape.row_elements *= shape.dims[d];
  shape.row_stride = shape.row_elements;
  shape.dtype = dtype;
  return TensorImage(shape);
}

inline void set_bits(TensorImage& image, std::int64_t index, std::uint64_t bits) {
  std::memcpy(image.bytes.data() + image.offset_of(index), &bits,
              static_cast<std::size_t>(image.element_bytes()));
}

inline std::uint64_t get_bits(const TensorImage& image, std::int64_t index) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, image.element(index), static_cast<std::size_t>(image.element_bytes()));
  return bits;
}

inline void set(TensorImage& image, std::int64_t index, double value) {
  const bool fp8 = image.element_bytes() == 1;
  set_bits(image, index,
           encode(image.shape.dtype, value, fp8 ? Overflow::saturate : Overflow::special));
}

inline double get(const TensorImage& image, std::int64_t index) {
  return decode(image.shape.dtype, get_bits(image, index));
}

/// A matrix with its truth, as a reference leaves it; `actual` starts as a perfect kernel's.
struct Judged {
  reference::Truth truth;
  TensorImage expected, actual;

  Judged(DType dtype, std::int64_t rows, std::int64_t width)
      : expected(image_of(dtype, {rows, width})), actual(expected) {
    truth.value.resize(static_cast<std::size_t>(rows * width));
  }

  std::int64_t elements() const { return actual.shape.elements(); }
  std::int64_t width() const { return actual.shape.row_elements; }

  void make(const std::function<double(std::int64_t)>& value) {
    for (std::int64_t i = 0; i < elements(); ++i) {
      truth.value[static_cast<std::size_t>(i)] = value(i);
      set(expected, i, value_at(i));
    }
    actual = expected;
  }
  double value_at(std::int64_t i) const { return truth.value[static_cast<std::size_t>(i)]; }

  /// What a kernel makes of the truth, in place of perfect rounding.
  void plant(const std::function<double(double)>& kernel) {
    for (std::int64_t i = 0; i < elements(); ++i) set(actual, i, kernel(value_at(i)));
  }

  LadderResult climb(const Limits& limits, const TensorImage* scales = nullptr) const {
    return fusetune::climb(limits, actual, expected, truth, scales);
  }
};

/// Numbers from N(0, 1).
inline Judged normal(DType dtype, std::int64_t rows, std::int64_t width, double scale = 1) {
  Judged judged(dtype, rows, width);
  std::mt19937_64 random(7);
  std::normal_distribution<double> values(0, scale);
  judged.make([&](std::int64_t) {
    const double value = values(random);
    return value;
  });
  return judged;
}

/// Rounds toward zero.
inline double truncated(DType dtype, double value) {
  const double nearest = decode(dtype, encode(dtype, value, Overflow::saturate));
  if (std::fabs(nearest) <= std::fabs(value)) return nearest;
  const std::uint64_t bits = encode(dtype, nearest);
  return decode(dtype, bits - 1);  // one magnitude less
}

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Every rule alone, as a family would declare it. "class" has no rule at all.
inline Limits only(const std::string& rule, DType dtype, std::int64_t width, double terms = 1) {
  Limits limits;
  limits.exact = false;
  if (rule == "ulp 0") limits.ulp = 0;
  if (rule == "ulp 1") limits.ulp = 1;
  if (rule == "ulp 2") limits.ulp = 2;
  if (rule == "bound") {
    limits.bound = true;
    limits.accumulated_roundoff = 4 * std::sqrt(terms) * 0x1p-24;
  }
  if (rule == "norms") {
    limits.norm_block = width;
    limits.norm_limit = 4 * norm_floor(dtype);
  }
  if (rule == "tight norms") {
    limits.norm_block = width;
    limits.norm_limit = 2 * norm_floor(dtype);
  }
  if (rule == "cosine alone" || rule == "cosine") limits.cosine_min = 0.999;
  limits.norm_ratio = rule == "cosine" ? 1e-3 : kInfinity;
  if (rule == "code") limits.code = true;
  return limits;
}

inline const std::vector<std::string> kRules{
    "class", "ulp 0", "ulp 1", "ulp 2", "bound", "tight norms", "cosine alone", "cosine", "norms"};

/// The rules that find something.
inline std::set<std::string> finders(const Judged& judged) {
  std::set<std::string> found;
  for (const std::string& rule : kRules)
    if (!judged.climb(only(rule, judged.actual.shape.dtype, judged.width())).passed())
      found.insert(rule);
  return found;
}

}  // namespace fusetune::test

#include "harness/verify/edges.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fusetune {

namespace {

constexpr int kWideExponent = 20;
// Squares below 2^112: thousands of them add up within fp32.
constexpr int kHugeExponentMin = 40;
constexpr int kHugeExponentMax = 55;
constexpr double kOutlier = 1e4;
constexpr double kOffset = 100;
/// Keeps the choices of rows and columns apart from the values.
constexpr std::uint64_t kPicks = 0x5CA1AB1E00000000u;

double with_sign(std::uint64_t hash, double magnitude) {
  return (hash & 1) != 0 ? -magnitude : magnitude;
}

/// Evenly from low to high, both included. The bits below those of unit_value().
int exponent_between(int low, int high, std::uint64_t hash) {
  return low + static_cast<int>((hash >> 1 & 0x3FF) % static_cast<std::uint64_t>(high - low + 1));
}

}  // namespace

bool has_edge(DType dtype, Edge edge) {
  if (!is_float(dtype) || dtype == DType::e8m0) return false;
  return edge != Edge::infinities || float_format(dtype).has_infinity;
}

EdgeValues::EdgeValues(Edge edge, const RandomValues& usual)
    : edge_(edge),
      usual_(usual),
      format_(float_format(usual.dtype())),
      encode_(usual.dtype()),
      key_(hash_at(usual.key(), kPicks)) {
  if (usual.layout().rows > 0) first_ = picked_element(0);
  if (usual.layout().rows > 1) second_ = picked_element(1);
}

double EdgeValues::zero(std::uint64_t hash) const { return with_sign(hash, 0); }

double EdgeValues::wide(std::uint64_t hash) const {
  const int low = std::max(-kWideExponent, format_.exponent_min);
  // Below the last power of two, where 1.99 of it might be too large.
  const int high = std::min(kWideExponent, std::ilogb(format_.max) - 1);
  return with_sign(hash, std::ldexp(1 + unit_value(hash), exponent_between(low, high, hash)));
}

double EdgeValues::denormal(std::uint64_t hash) const {
  const double count = std::ldexp(1, format_.mantissa_bits) - 1;
  return with_sign(hash, (1 + std::floor(unit_value(hash) * count)) * format_.denormal_min);
}

double EdgeValues::huge(std::uint64_t hash) const {
  if (format_.max >= std::ldexp(1, kHugeExponentMax + 1))
    return with_sign(hash, std::ldexp(1 + unit_value(hash),
                                      exponent_between(kHugeExponentMin, kHugeExponentMax, hash)));
  const bool largest = (hash >> 1 & 7) == 0;
  return with_sign(hash, largest ? format_.max : format_.max * (1 + 7 * unit_value(hash)) / 8);
}

std::uint64_t EdgeValues::picked_column(std::uint64_t row) const {
  return hash_at(key_, row) % usual_.layout().row_elements;
}

std::uint64_t EdgeValues::picked_element(std::uint64_t n) const {
  const RowLayout& layout = usual_.layout();
  const std::uint64_t row = (hash_at(key_, kPicks) % layout.rows + n) % layout.rows;
  return row * layout.row_elements + picked_column(row);
}

double EdgeValues::cancelling(std::uint64_t index) const {
  const std::uint64_t column = usual_.layout().column_of(index);
  if (column % 2 == 1) return -usual_.value(index - 1);
  const bool alone = column + 1 == usual_.layout().row_elements;
  return alone ? 0 : usual_.value(index);
}

double EdgeValues::value(std::uint64_t index) const {
  const RowLayout& layout = usual_.layout();
  const std::uint64_t hash = hash_at(usual_.key(), index);
  const double infinity = std::numeric_limits<double>::infinity();
  switch (edge_) {
    case Edge::zeros:
      return zero(hash);
    case Edge::equal:
      return usual_.value(index - layout.column_of(index));
    case Edge::wide:
      return wide(hash);
    case Edge::denormals:
      return denormal(hash);
    case Edge::huge:
      return huge(hash);
    case Edge::infinities:
      if (index == first_) return infinity;
      return index == second_ ? -infinity : usual_.value(index);
    case Edge::nan:
      return index == first_ ? std::numeric_limits<double>::quiet_NaN() : usual_.value(index);
    case Edge::outlier:
      if (layout.column_of(index) != picked_column(layout.row_of(index)))
        return usual_.value(index);
      return with_sign(hash, kOutlier);
    case Edge::cancel:
      return cancelling(index);
    case Edge::offset:
      return kOffset + normal_value(hash);
  }
  return 0;
}

std::uint64_t EdgeValues::bits(std::uint64_t index) const {
  const double number = value(index);
  return std::isinf(number) ? encode(usual_.dtype(), number) : encode_(number);
}

}  // namespace fusetune

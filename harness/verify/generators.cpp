#include "harness/verify/generators.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "harness/base/hash.hpp"
#include "harness/base/mix.hpp"
#include "harness/verify/codec.hpp"

namespace fusetune {

namespace {

constexpr std::size_t kCells = 1024;
/// Such that the outermost cell has the second moment of the tail that it stands for.
constexpr double kTailEnd = 3.84;

/// The x with erfc(x / sqrt(2)) = `beyond`: so much of a normal distribution lies beyond +-x.
double two_sided_quantile(double beyond) {
  double x = 0;
  for (int step = 0; step < 100; ++step) {
    const double error = std::erfc(x * std::sqrt(0.5)) - beyond;
    const double slope = std::sqrt(2 / std::acos(-1.0)) * std::exp(-x * x / 2);
    const double next = x + error / slope;
    if (std::fabs(next - x) < 1e-15) break;
    x = next;
  }
  return x;
}

/// Magnitudes below which 0/1024, 1/1024, ... of all lie.
std::array<double, kCells + 1> make_quantiles() {
  std::array<double, kCells + 1> quantiles{};
  for (std::size_t i = 1; i < kCells; ++i)
    quantiles[i] = two_sided_quantile(1 - static_cast<double>(i) / kCells);
  quantiles[kCells] = kTailEnd;
  return quantiles;
}

}  // namespace

std::uint64_t key_of(std::uint64_t seed, std::string_view tensor, int pass, int call) {
  const std::uint64_t name = hash64(tensor.data(), tensor.size());
  const auto counter = static_cast<std::uint64_t>(pass) << 32 | static_cast<std::uint32_t>(call);
  return mix64(mix64(mix64(seed) ^ name) ^ counter);
}

std::uint64_t hash_at(std::uint64_t key, std::uint64_t counter) { return mix64(key ^ counter); }

double unit_value(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

double normal_value(std::uint64_t bits) {
  // Straight lines between the quantiles: a hundred times cheaper than logarithm and cosine, and
  // within 0.001 of them but for the tails.
  static const std::array<double, kCells + 1> quantiles = make_quantiles();
  const double place = unit_value(bits) * kCells;
  const auto cell = static_cast<std::size_t>(place);
  const double within = place - static_cast<double>(cell);
  const double magnitude = quantiles[cell] + within * (quantiles[cell + 1] - quantiles[cell]);
  return (bits & 1) != 0 ? -magnitude : magnitude;
}

RowLayout::RowLayout(const TensorShape& shape) {
  const bool one_row = shape.dims.size() <= 1;
  const std::int64_t elements = shape.elements();
  rows = static_cast<std::uint64_t>(elements == 0 ? 0 : one_row ? 1 : shape.rows());
  row_elements = static_cast<std::uint64_t>(
      std::max<std::int64_t>(1, one_row ? elements : shape.row_elements));
}

double row_scale(std::uint64_t row) { return static_cast<double>(1 << (5 * row % 8)); }

RandomValues::RandomValues(const Generator& generator, const TensorShape& shape, std::uint64_t key)
    : kind_(generator.kind),
      mean_(generator.mean),
      stddev_(generator.stddev),
      low_(generator.low),
      high_(generator.high),
      scale_rows_(generator.scale_rows && generator.kind == Generator::Kind::normal),
      layout_(shape),
      dtype_(shape.dtype),
      encode_(shape.dtype),
      key_(key) {}

double RandomValues::uniform_value(std::uint64_t hash) const {
  const double unit = unit_value(hash);
  if (!is_integer(dtype_)) return low_ + unit * (high_ - low_);
  return std::min(std::floor(high_),
                  std::ceil(low_) + std::floor(unit * (std::floor(high_) - std::ceil(low_) + 1)));
}

double RandomValues::value(std::uint64_t index) const {
  const std::uint64_t hash = hash_at(key_, index);
  if (kind_ == Generator::Kind::uniform) return uniform_value(hash);
  const double value = mean_ + stddev_ * normal_value(hash);
  return scale_rows_ ? value * row_scale(layout_.row_of(index)) : value;
}

std::uint64_t RandomValues::bits(std::uint64_t index) const { return encode_(value(index)); }

}  // namespace fusetune

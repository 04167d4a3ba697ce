#include "reference/numbers.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace fusetune::reference {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// A float that rounds to 16 bits as `value` itself would: cut off, with the last bit set when
/// something was lost.
float sticky(double value) {
  const auto nearest = static_cast<float>(value);
  if (std::isnan(value) || static_cast<double>(nearest) == value) return nearest;
  auto bits = Eigen::numext::bit_cast<std::uint32_t>(nearest);
  // The next float towards zero.
  if (std::fabs(static_cast<double>(nearest)) > std::fabs(value)) --bits;
  return Eigen::numext::bit_cast<float>(bits | 1u);
}

/// An 8-bit float: all codes with their values. Codes of positive values ascend from 0.
class Fp8 {
 public:
  /// `fnuz`: one NaN in the place of -0, no infinities, and the whole range for numbers.
  Fp8(int fraction_bits, int bias, bool fnuz, bool infinities) {
    for (int code = 0; code < 256; ++code) {
      const int fraction = code & ((1 << fraction_bits) - 1);
      const int exponent = (code & 0x7f) >> fraction_bits;
      const double magnitude = exponent == 0 ? std::ldexp(fraction, 1 - bias - fraction_bits)
                                             : std::ldexp(fraction + (1 << fraction_bits),
                                                          exponent - bias - fraction_bits);
      values_[index(code)] = code < 128 ? magnitude : -magnitude;
    }
    minus_zero_ = fnuz ? 0 : 0x80;
    nan_ = fnuz ? 0x80 : 0x7f;
    if (fnuz) {
      values_[0x80] = kNan;
    } else if (infinities) {
      const int first = 0x80 - (1 << fraction_bits);
      for (int code = first; code < 128; ++code)
        values_[index(code)] = values_[index(code + 128)] =
            code == first ? std::numeric_limits<double>::infinity() : kNan;
      values_[index(first + 128)] = -values_[index(first)];
    } else {
      values_[0x7f] = values_[0xff] = kNan;
    }
    while (!std::isfinite(values_[index(last_)])) --last_;
  }

  double decode(std::uint8_t code) const { return values_[code]; }
  double max() const { return values_[index(last_)]; }

  std::uint8_t encode(double value) const {
    if (std::isnan(value)) return static_cast<std::uint8_t>(nan_);
    const double magnitude = std::min(std::fabs(value), max());
    const double* const first = values_.data();
    int best = static_cast<int>(std::lower_bound(first, first + last_, magnitude) - first);
    if (best > 0) {
      const double above = values_[index(best)] - magnitude;
      const double below = magnitude - values_[index(best - 1)];
      if (below < above || (below == above && best % 2 == 1)) --best;
    }
    if (!std::signbit(value)) return static_cast<std::uint8_t>(best);
    return static_cast<std::uint8_t>(best == 0 ? minus_zero_ : best + 128);
  }

 private:
  static std::size_t index(int code) { return static_cast<std::size_t>(code); }

  std::array<double, 256> values_{};
  int last_ = 0x7f, nan_ = 0x7f, minus_zero_ = 0x80;
};

const Fp8* fp8(const std::string& dtype) {
  static const Fp8 e4m3fn(3, 7, false, false), e4m3fnuz(3, 8, true, false);
  static const Fp8 e5m2(2, 15, false, true), e5m2fnuz(2, 16, true, false);
  if (dtype == "e4m3fn") return &e4m3fn;
  if (dtype == "e4m3fnuz") return &e4m3fnuz;
  if (dtype == "e5m2") return &e5m2;
  if (dtype == "e5m2fnuz") return &e5m2fnuz;
  return nullptr;
}

/// Calls `use(as_double, from_double)` with the conversions of the type's elements.
template <class Use>
void with_conversions(const std::string& dtype, const Use& use) {
  if (dtype == "fp32") {
    use([](float element) { return static_cast<double>(element); },
        [](double value) { return static_cast<float>(value); });
  } else if (dtype == "bf16") {
    use([](Eigen::bfloat16 element) { return static_cast<double>(element); },
        [](double value) { return Eigen::bfloat16(sticky(value)); });
  } else if (dtype == "fp16") {
    use([](Eigen::half element) { return static_cast<double>(element); },
        [](double value) { return Eigen::half(sticky(value)); });
  } else if (dtype == "e8m0") {
    use([](std::uint8_t code) { return code == 0xff ? kNan : std::ldexp(1.0, code - 127); },
        [](double value) {
          if (std::isnan(value)) return std::uint8_t{0xff};
          int exponent = -127;  // block scales round up
          if (value > 0 && std::frexp(value, &exponent) == 0.5) --exponent;
          return static_cast<std::uint8_t>(std::clamp(exponent, -127, 127) + 127);
        });
  } else if (const Fp8* format = fp8(dtype)) {
    use([format](std::uint8_t code) { return format->decode(code); },
        [format](double value) { return format->encode(value); });
  } else {
    throw std::invalid_argument("the reference does not compute with elements of type " + dtype);
  }
}

std::int64_t row_elements(const Tensor& tensor) {
  std::int64_t elements = 1;
  for (std::size_t d = 1; d < tensor.dims.size(); ++d) elements *= tensor.dims[d];
  return elements;
}

template <class T>
T* element(const Tensor& tensor, std::int64_t row, std::int64_t column) {
  return reinterpret_cast<T*>(tensor.data) + row * tensor.row_stride + column;
}

}  // namespace

Matrix read_rows(const Tensor& tensor, const std::vector<std::int64_t>& rows) {
  Matrix values(static_cast<Eigen::Index>(rows.size()), row_elements(tensor));
  with_conversions(tensor.dtype, [&](const auto& as_double, const auto& from_double) {
    using T = decltype(from_double(0.0));
    for (Eigen::Index i = 0; i < values.rows(); ++i) {
      const std::int64_t row = rows[static_cast<std::size_t>(i)];
      if (row < 0 || row >= tensor.dims.at(0))
        throw std::out_of_range("row " + std::to_string(row) + " of a tensor of " +
                                std::to_string(tensor.dims.at(0)) + " rows");
      for (Eigen::Index column = 0; column < values.cols(); ++column)
        values(i, column) = as_double(*element<T>(tensor, row, column));
    }
  });
  return values;
}

Matrix read(const Tensor& tensor) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(tensor.dims.at(0)));
  std::iota(rows.begin(), rows.end(), 0);
  return read_rows(tensor, rows);
}

void write(const Tensor& tensor, const Matrix& values) {
  with_conversions(tensor.dtype, [&](const auto&, const auto& from_double) {
    using T = decltype(from_double(0.0));
    for (std::int64_t row = 0; row < values.rows(); ++row)
      for (std::int64_t column = 0; column < values.cols(); ++column)
        *element<T>(tensor, row, column) = from_double(values(row, column));
  });
}

double rounded(const std::string& dtype, double value) {
  double result = kNan;
  with_conversions(dtype, [&](const auto& as_double, const auto& from_double) {
    result = as_double(from_double(value));
  });
  return result;
}

Matrix rounded(const std::string& dtype, const Matrix& values) {
  Matrix result(values.rows(), values.cols());
  with_conversions(dtype, [&](const auto& as_double, const auto& from_double) {
    result = values.unaryExpr([&](double value) { return as_double(from_double(value)); });
  });
  return result;
}

double largest(const std::string& dtype) {
  if (const Fp8* format = fp8(dtype)) return format->max();
  if (dtype == "fp16") return 65504;
  if (dtype == "bf16") return std::ldexp(255, 120);
  if (dtype == "fp32") return static_cast<double>(std::numeric_limits<float>::max());
  throw std::invalid_argument("no largest value is known of type " + dtype);
}

void state(Truth* truth, const Matrix& value, const Matrix& magnitude) {
  if (truth == nullptr) return;
  truth->value.assign(value.data(), value.data() + value.size());
  truth->magnitude.assign(magnitude.data(), magnitude.data() + magnitude.size());
}

void state_copied(Truth* truth, const Mask& copied) {
  if (truth == nullptr) return;
  truth->copied.assign(copied.data(), copied.data() + copied.size());
}

void state_kept(Truth* truth, const Mask& kept) {
  if (truth == nullptr) return;
  truth->kept.assign(kept.data(), kept.data() + kept.size());
}

}  // namespace fusetune::reference

#pragma once
// codec.hpp for millions of elements of one type: what is simple is done here, and seen by the
// compiler; the rest goes to encode() and decode().

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#include "harness/verify/codec.hpp"

namespace fusetune {

/// encode() where it is simple: numbers that are normal in the type, which nearly all are.
class FastEncoder {
 public:
  explicit FastEncoder(DType dtype);
  /// As encode(dtype, value, Overflow::saturate).
  std::uint64_t operator()(double value) const {
    const double magnitude = std::fabs(value);
    if (!(magnitude >= least_ && magnitude <= most_))
      return encode(dtype_, value, Overflow::saturate);
    const auto bits = std::bit_cast<std::uint64_t>(magnitude);
    const std::uint64_t odd = bits >> dropped_ & 1;
    const std::uint64_t rounded = bits + (std::uint64_t{1} << (dropped_ - 1)) - 1 + odd;
    const std::uint64_t sign = std::bit_cast<std::uint64_t>(value) >> 63;
    return ((rounded >> dropped_) - rebias_) | sign << sign_bit_;
  }

 private:
  DType dtype_;
  double least_, most_;  ///< magnitudes that are simple
  int dropped_ = 0;      ///< mantissa bits that fp64 has more
  int sign_bit_ = 0;
  std::uint64_t rebias_ = 0;
};

/// decode() where it is simple: bf16 and fp32, which are fp32 numbers, and types of one byte.
class FastDecoder {
 public:
  explicit FastDecoder(DType dtype);
  /// As decode(dtype, bits), but for what a NaN carries.
  double operator()(std::uint64_t bits) const {
    switch (kind_) {
      case Kind::fp32:
        return static_cast<double>(
            std::bit_cast<float>(static_cast<std::uint32_t>(bits) << shift_));
      case Kind::byte:
        return of_byte_[bits & 0xFF];
      case Kind::other:
        break;
    }
    return decode(dtype_, bits);
  }

 private:
  enum class Kind { fp32, byte, other };
  DType dtype_;
  Kind kind_ = Kind::other;
  int shift_ = 0;
  std::array<double, 256> of_byte_{};
};

}  // namespace fusetune

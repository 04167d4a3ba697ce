#include "harness/verify/fast_codec.hpp"

#include <limits>

namespace fusetune {

FastEncoder::FastEncoder(DType dtype)
    : dtype_(dtype), least_(std::numeric_limits<double>::infinity()), most_(0) {
  if (!is_float(dtype) || dtype == DType::e8m0) return;
  const FloatFormat format = float_format(dtype);
  least_ = std::ldexp(1, format.exponent_min);
  most_ = format.max;
  dropped_ = 52 - format.mantissa_bits;
  sign_bit_ = static_cast<int>(8 * size_bytes(dtype) - 1);
  rebias_ = static_cast<std::uint64_t>(1023 + format.exponent_min - 1) << format.mantissa_bits;
}

FastDecoder::FastDecoder(DType dtype) : dtype_(dtype) {
  if (dtype == DType::bf16 || dtype == DType::fp32) {
    kind_ = Kind::fp32;
    shift_ = dtype == DType::bf16 ? 16 : 0;
  } else if (size_bytes(dtype) == 1) {
    kind_ = Kind::byte;
    for (std::size_t bits = 0; bits < of_byte_.size(); ++bits) of_byte_[bits] = decode(dtype, bits);
  }
}

}  // namespace fusetune

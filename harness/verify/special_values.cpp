#include "harness/verify/special_values.hpp"

namespace fusetune {

namespace {

std::vector<std::uint64_t> special_floats(int exponent_bits, int mantissa_bits) {
  const std::uint64_t one = 1;
  const std::uint64_t infinity = ((one << exponent_bits) - 1) << mantissa_bits;
  const std::uint64_t quiet = one << (mantissa_bits - 1);
  const std::uint64_t mantissa = (one << mantissa_bits) - 1;
  const std::uint64_t sign = one << (exponent_bits + mantissa_bits);
  std::vector<std::uint64_t> values;
  // A signalling NaN with a payload first, then -0: conversions alter the one, additions the other.
  for (const std::uint64_t magnitude :
       {infinity | 1, std::uint64_t{0}, infinity | quiet | 5, one, mantissa, infinity,
        infinity - one, one << mantissa_bits, infinity | mantissa, infinity | (quiet - 1)})
    for (const std::uint64_t s : {sign, std::uint64_t{0}}) values.push_back(s | magnitude);
  return values;
}

std::vector<std::uint64_t> special_integers(int bits) {
  const std::uint64_t sign = std::uint64_t{1} << (bits - 1);
  return {sign, sign - 1, sign | (sign - 1), 0, 1, sign | 1};
}

}  // namespace

std::vector<std::uint64_t> special_values(DType dtype) {
  switch (dtype) {
    case DType::bf16:
      return special_floats(8, 7);
    case DType::fp16:
      return special_floats(5, 10);
    case DType::fp32:
      return special_floats(8, 23);
    case DType::i32:
      return special_integers(32);
    case DType::i64:
      return special_integers(64);
    default:
      break;
  }
  std::vector<std::uint64_t> codes(256);
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = i;
  return codes;
}

}  // namespace fusetune

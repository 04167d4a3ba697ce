// The fast ways against the slow one, which is held against other code.

#include "harness/verify/fast_codec.hpp"

#include <gmock/gmock.h>

#include <limits>

#include "harness/verify/generators.hpp"

namespace fusetune::test {
namespace {

TEST(FastCodec, Encodes) {
  for (const DType dtype : all_dtypes()) {
    const FastEncoder fast(dtype);
    const auto expect_same = [&](double value) {
      ASSERT_EQ(fast(value), encode(dtype, value, Overflow::saturate))
          << to_string(dtype) << " " << value;
    };
    for (std::uint64_t i = 0; i < 20000; ++i) {
      const std::uint64_t hash = hash_at(3, i);
      expect_same(std::bit_cast<double>(hash));
      expect_same(std::ldexp(normal_value(hash), static_cast<int>(hash >> 5 & 31) - 16));
    }
    for (const double value :
         {0.0, -0.0, 448.0, 449.0, 464.0, 240.0, 65504.0, 65519.9, 1e39, -1e39, 0x1p-6, 0x1.FFp-7,
          1.0625, 1.1875, 0x1.010000000001p0, std::numeric_limits<double>::infinity()})
      expect_same(value);
  }
}

TEST(FastCodec, Decodes) {
  for (const DType dtype : all_dtypes()) {
    const FastDecoder fast(dtype);
    const auto expect_same = [&](std::uint64_t bits) {
      const double found = fast(bits), wanted = decode(dtype, bits);
      ASSERT_EQ(std::isnan(found), std::isnan(wanted)) << to_string(dtype) << " " << bits;
      if (std::isnan(wanted)) return;
      ASSERT_EQ(std::bit_cast<std::uint64_t>(found), std::bit_cast<std::uint64_t>(wanted))
          << to_string(dtype) << " " << bits;
    };
    const std::int64_t bits = 8 * size_bytes(dtype);
    if (bits <= 16)
      for (std::uint64_t pattern = 0; pattern < std::uint64_t{1} << bits; ++pattern)
        expect_same(pattern);
    for (std::uint64_t i = 0; bits > 16 && i < 100000; ++i)
      expect_same(hash_at(5, i) >> (64 - bits));
  }
}

}  // namespace
}  // namespace fusetune::test

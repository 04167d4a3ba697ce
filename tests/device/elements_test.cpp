// Packs of elements, sums over groups of threads and the reciprocal root of ft.h.
#include <gmock/gmock.h>

#include <bit>
#include <cmath>

#include "support.hpp"

namespace fusetune::testing {
namespace {

/// One thread per pack: loads it, adds 1 to every element, stores it as the other type.
constexpr const char* kConvert = R"(
#include "ft.h"
FT_KERNEL(64) void convert(const char* in, char* out) {
  const auto from = ft_load_pack<FT_FROM, FT_COUNT>(in + threadIdx.x * FT_COUNT * sizeof(FT_FROM));
  ft_pack<FT_TO, FT_COUNT> to;
  FT_UNROLL
  for (int i = 0; i < FT_COUNT; ++i) ft_set(to, i, ft_get(from, i) + 1.0f);
  ft_store_pack(out + threadIdx.x * FT_COUNT * sizeof(FT_TO), to);
}
)";

/// Small whole numbers, which 16 bits hold exactly.
template <class Element, class Encode>
std::vector<Element> ramp(std::size_t count, int first, const Encode& encode) {
  std::vector<Element> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i] = encode(static_cast<float>(first + static_cast<int>(i % 100)));
  return values;
}
std::uint16_t as_bf16(float value) {
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
}

TEST(Packs, HoldWhatWasSetInTheOrderOfMemory) {
  for (const int count : {1, 2, 4, 8, 16}) {
    const std::string number = std::to_string(count);
    const std::size_t elements = static_cast<std::size_t>(count) * 64;
    Bench bench;
    bench.build(kConvert, {"convert"},
                {{"FT_FROM", "ft_bf16"}, {"FT_TO", "ft_fp32"}, {"FT_COUNT", number}});
    const auto in = bench.upload(ramp<std::uint16_t>(elements, 0, as_bf16));
    const auto wide = bench.allocate(elements * 4), narrow = bench.allocate(elements * 2);
    ASSERT_TRUE(bench.launch(1, 64, {in, wide}).ok());
    const auto same = [](float value) { return value; };
    EXPECT_EQ(bench.download<float>(wide, elements), ramp<float>(elements, 1, same)) << number;

    bench.build(kConvert, {"convert"},
                {{"FT_FROM", "ft_fp32"}, {"FT_TO", "ft_bf16"}, {"FT_COUNT", number}});
    ASSERT_TRUE(bench.launch(1, 64, {wide, narrow}).ok());
    EXPECT_EQ(bench.download<std::uint16_t>(narrow, elements),
              ramp<std::uint16_t>(elements, 2, as_bf16))
        << number;

    bench.build(kConvert, {"convert"},
                {{"FT_FROM", "ft_bf16"}, {"FT_TO", "ft_fp16"}, {"FT_COUNT", number}});
    ASSERT_TRUE(bench.launch(1, 64, {in, narrow}).ok());
    EXPECT_EQ(bench.download<std::uint16_t>(narrow, elements)[0], 0x3c00) << "1 in fp16";
  }
}

class GroupSums : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Host, GroupSums, ::testing::Values(64, 32),
                         [](const auto& test) { return "w" + std::to_string(test.param); });

TEST_P(GroupSums, ReachEveryThreadOfTheirGroupTurnAfterTurn) {
  for (const int group : {8, 16, 64, 128, 192, 384}) {
    if (group < GetParam() && GetParam() % group != 0) continue;
    Bench bench(GetParam());
    bench.build(R"(
#include "ft.h"
FT_KERNEL(384) void sums(float* out) {
  float value = static_cast<float>(threadIdx.x);
  for (int i = 0; i < 5; ++i) {
    value = ft_group_sum<384, FT_GROUP>(value + i, i % 2) / FT_GROUP;
    out[384 * i + threadIdx.x] = value;
  }
}
)",
                {"sums"}, {{"FT_GROUP", std::to_string(group)}});
    const DevicePointer out = bench.allocate(5 * 384 * 4, Place::high);
    for (const std::uint64_t seed : {0, 1, 2}) {
      bench.device().schedule(seed);
      const Outcome outcome = bench.launch(1, 384, {out});
      ASSERT_TRUE(outcome.ok()) << outcome.message;
      const auto values = bench.download<float>(out, 5 * 384);
      for (int i = 0; i < 5 * 384; ++i) {
        const int first = i % 384 / group * group, turn = i / 384;
        const double mean = first + (group - 1) / 2.0 + turn * (turn + 1) / 2;
        ASSERT_EQ(values[static_cast<std::size_t>(i)], mean)
            << "group of " << group << ", thread " << i % 384 << ", turn " << turn;
      }
    }
  }
}

TEST(ReciprocalRoot, IsRightToAnUlpAndAtTheEnds) {
  Bench bench;
  bench.build(R"(
#include "ft.h"
FT_KERNEL(64) void roots(const float* in, float* out) { out[threadIdx.x] = ft_rsqrt(in[threadIdx.x]); }
)",
              {"roots"});
  std::vector<float> values(64);
  for (std::size_t i = 0; i < 64; ++i)
    values[i] = std::ldexp(1.0f + static_cast<float>(i) / 64.0f, 4 * static_cast<int>(i) - 120);
  values[62] = INFINITY;
  values[63] = NAN;
  const auto in = bench.upload(values), out = bench.allocate(64 * 4);
  ASSERT_TRUE(bench.launch(1, 64, {in, out}).ok());
  const auto roots = bench.download<float>(out, 64);
  for (std::size_t i = 0; i < 62; ++i) {
    const double exact = 1 / std::sqrt(static_cast<double>(values[i]));
    EXPECT_NEAR(roots[i], exact, exact * 0x1p-23) << values[i];
  }
  EXPECT_EQ(roots[62], 0);
  EXPECT_TRUE(std::isnan(roots[63]));
}

}  // namespace
}  // namespace fusetune::testing

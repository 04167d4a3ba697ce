// Planted bugs in the use of shared memory, found under every schedule.
#include "exact_support.hpp"

namespace fusetune::testing {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr std::uint64_t kSeeds = 50;

class ExactShared : public ::testing::TestWithParam<int> {
 protected:
  /// What the kernel is found guilty of under seeds 0 to 50, "" when they differ.
  static void expect_always(ExactBench& bench, const std::string& entry,
                            const ::testing::Matcher<Status>& status) {
    for (std::uint64_t seed = 0; seed <= kSeeds; ++seed) {
      const Outcome outcome = bench.run(entry, 2, 256, seed);
      EXPECT_THAT(outcome.status, status) << entry << ", seed " << seed << ": " << outcome.message;
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Host, ExactShared, ::testing::Values(64, 32),
                         [](const auto& test) { return "w" + std::to_string(test.param); });

const std::string kReductions = R"(#include "ft.h"
enum { RIGHT, EARLY_PARTIALS, EARLY_TOTAL, ONE_MISSING };
template <int BUG>
FT_DEVICE void norm(const float* in, float* out) {
  FT_SHARED float partial[8];
  FT_SHARED float total;
  const int t = threadIdx.x, at = 260 * blockIdx.x + t;
  const float sum = ft_wave_sum<FT_WAVE_SIZE>(in[at]);
  if (ft_lane() == 0 && (BUG != ONE_MISSING || ft_wave() != 1)) partial[ft_wave()] = sum; // store
  if (BUG != EARLY_PARTIALS) ft_block_sync();
  if (t == 0) {
    float all = 0;
    for (int i = 0; i < 256 / FT_WAVE_SIZE; ++i) all += partial[i]; // partials
    total = all; // total
  }
  if (BUG != EARLY_TOTAL) ft_block_sync();
  out[at] = in[at] * total; // use
}
template <bool BARRIER>
FT_DEVICE void rows(const float* in, float* out) {
  FT_SHARED float partial[256 / FT_WAVE_SIZE];
  for (int r = 2 * blockIdx.x; r < 2 * blockIdx.x + 2; ++r) {
    const int at = 260 * r + threadIdx.x;
    const float sum = ft_wave_sum<FT_WAVE_SIZE>(in[at]);
    if (ft_lane() == 0) partial[ft_wave()] = sum; // next row
    ft_block_sync();
    float all = 0;
    for (int i = 0; i < 256 / FT_WAVE_SIZE; ++i) all += partial[i]; // last row
    out[at] = all;
    if (BARRIER) ft_block_sync();
  }
}
)" + exact_kernel("right", "norm<RIGHT>(in, out);") +
                                exact_kernel("early_partials", "norm<EARLY_PARTIALS>(in, out);") +
                                exact_kernel("early_total", "norm<EARLY_TOTAL>(in, out);") +
                                exact_kernel("one_missing", "norm<ONE_MISSING>(in, out);") +
                                exact_kernel("rows_right", "rows<true>(in, out);") +
                                exact_kernel("rows_overwritten", "rows<false>(in, out);");

TEST_P(ExactShared, MissingBarriersOfReductions) {
  ExactBench bench(
      GetParam(), kReductions,
      {"right", "early_partials", "early_total", "one_missing", "rows_right", "rows_overwritten"});
  expect_always(bench, "right", Status::ok);
  expect_always(bench, "rows_right", Status::ok);
  // Who comes first depends on the schedule: a reader finds nothing, or something unordered.
  expect_always(bench, "early_partials", AnyOf(Status::uninitialised_read, Status::race));
  expect_always(bench, "early_total", AnyOf(Status::uninitialised_read, Status::race));
  expect_always(bench, "one_missing", Status::uninitialised_read);
  expect_always(bench, "rows_overwritten", Status::race);

  EXPECT_EQ(bench.run("early_partials", 1, 256).message,
            "read of uninitialised shared memory 'partial', offset 4 (early_partials, block 0, "
            "thread 0, " +
                bench.line("// partials") + ")");
  EXPECT_EQ(bench.run("early_total", 1, 256).message,
            "race in shared memory 'total': read at " + bench.line("// use") +
                " by thread 1 after write at " + bench.line("// total") +
                " by thread 0, offset 0 (early_total, block 0)");
  EXPECT_EQ(bench.run("one_missing", 1, 256).message,
            "read of uninitialised shared memory 'partial', offset 4 (one_missing, block 0, "
            "thread 0, " +
                bench.line("// partials") + ")");
  EXPECT_EQ(bench.run("rows_overwritten", 1, 256).message,
            "race in shared memory 'partial': write at " + bench.line("// next row") +
                " by thread 0 after read at " + bench.line("// last row") +
                " by thread 1, offset 0 (rows_overwritten, block 0)");
}

const std::string kWaves = std::string(R"(#include "ft.h"
template <int HOW, int DISTANCE>
FT_DEVICE void pass(const float* in, float* out) {
  FT_SHARED float value[256];
  const int t = threadIdx.x, at = 260 * blockIdx.x + t;
  value[t] = in[at];
  float lane = 0;
  if (HOW == 1) ft_wave_sync();
  if (HOW == 2) lane = ft_shfl_xor(1.0f, 1);
  if (HOW == 3) lane = static_cast<float>(ft_ballot(true));
  if (HOW == 4) ft_block_sync();
  out[at] = value[(t + DISTANCE) % 256] + lane;
}
)") + exact_kernel("wave_sync", "pass<1, 0>(in, out);") +
                           exact_kernel("own", "pass<0, 0>(in, out);") +
                           exact_kernel("within_wave", R"(
  FT_SHARED float value[256];
  value[t] = in[row + t];
  ft_wave_sync();
  const float other = value[t ^ 1];
  ft_wave_sync();
  value[t ^ 2] = other;
  out[row + t] = value[t ^ 2];)") +
                           exact_kernel("overwritten", R"(
  FT_SHARED float value[256];
  value[t] = in[row + t];
  ft_wave_sync();
  const float other = value[t ^ 1]; // read before
  value[t] = other; // written after
  out[row + t] = value[t];)") +
                           exact_kernel("nothing", "pass<0, 1>(in, out);") +
                           exact_kernel("shuffle", "pass<2, 1>(in, out);") +
                           exact_kernel("ballot", "pass<3, 1>(in, out);") +
                           exact_kernel("other_wave", "pass<1, FT_WAVE_SIZE>(in, out);") +
                           exact_kernel("barrier", "pass<4, FT_WAVE_SIZE>(in, out);");

TEST_P(ExactShared, OnlyWaveSyncOrdersLanesAndOnlyOfOneWave) {
  ExactBench bench(GetParam(), kWaves,
                   {"wave_sync", "own", "within_wave", "overwritten", "nothing", "shuffle",
                    "ballot", "other_wave", "barrier"});
  for (const char* right : {"wave_sync", "own", "within_wave", "barrier"})
    expect_always(bench, right, Status::ok);
  for (const char* wrong : {"nothing", "shuffle", "ballot", "other_wave"})
    expect_always(bench, wrong, AnyOf(Status::uninitialised_read, Status::race));
  expect_always(bench, "overwritten", Status::race);
  EXPECT_EQ(bench.run("overwritten", 2, 256).message,
            "race in shared memory 'value': read at " + bench.line("// read before") +
                " by thread 1 after write at " + bench.line("// written after") +
                " by thread 0, offset 0 (overwritten, block 0)");
}

const std::string kBounds = std::string("#include \"ft.h\"\n") + exact_kernel("constant", R"(
  FT_SHARED float value[256];
  value[t + 1] = 1;
  out[row + t] = value[t + 1];)") +
                            exact_kernel("local", R"(
  float value[4] = {1, 2, 3, 4};
  for (int i = 0; i < t - 251; ++i) value[i] += in[row + i];
  out[row + t] = value[t % 4];)") +
                            exact_kernel("dynamic", R"(
  FT_DYNAMIC_SHARED(float, value);
  value[t] = 1;
  ft_block_sync();
  out[row + t] = value[t + (t == 255)];)") +
                            exact_kernel("dynamic_unwritten", R"(
  FT_DYNAMIC_SHARED(float, value);
  if (t != 7) value[t] = 1;
  ft_block_sync();
  out[row + t] = value[t];)") +
                            exact_kernel("wide", R"(
  FT_SHARED float value[5];
  char* const p = reinterpret_cast<char*>(value);
  if (t == 0) ft_store<16>(p + 16, ft_zero<16>());
  out[row + t] = 0;)");

TEST_P(ExactShared, AccessesOutsideOfVariables) {
  ExactBench bench(GetParam(), kBounds,
                   {"constant", "local", "dynamic", "dynamic_unwritten", "wide"});
  EXPECT_THAT(bench.run("constant", 1, 256).message,
              HasSubstr("index 256 is outside of 'float [256]' (constant, block 0, thread 255, " +
                        bench.line("value[t + 1]")));
  EXPECT_EQ(bench.run("constant", 1, 256).status, Status::out_of_bounds);
  EXPECT_TRUE(bench.run("constant", 1, 255).ok());
  EXPECT_TRUE(bench.run("local", 1, 256).ok());
  EXPECT_THAT(bench.run("local", 1, 257).message, HasSubstr("index 4 is outside of 'float [4]'"));
  const auto dynamic = [&](const char* entry, std::int64_t bytes) {
    return bench.run({entry, {1, 1, 1}, {256, 1, 1}, bytes, bench.arguments()});
  };
  EXPECT_EQ(dynamic("dynamic", 1024).status, Status::out_of_bounds);
  EXPECT_THAT(dynamic("dynamic", 1024).message,
              HasSubstr("read of 4 bytes, 0 bytes past the end of dynamic shared memory"));
  EXPECT_THAT(dynamic("dynamic", 1028).message,
              HasSubstr("read of uninitialised dynamic shared memory, offset 1024"));
  EXPECT_THAT(dynamic("dynamic_unwritten", 1024).message,
              AllOf(HasSubstr("read of uninitialised dynamic shared memory, offset 28"),
                    HasSubstr("thread 7")));
  const Outcome wide = bench.run("wide", 1, 256);
  EXPECT_EQ(wide.status, Status::out_of_bounds) << wide.message;
  EXPECT_THAT(wide.message, HasSubstr("write of 16 bytes, ending 12 bytes past the end of shared "
                                      "memory 'value'"));
}

TEST_P(ExactShared, BlocksDoNotInheritWhatOthersWrote) {
  ExactBench bench(GetParam(), std::string("#include \"ft.h\"\n") + exact_kernel("inherits", R"(
  FT_SHARED float value[256];
  if (b == 0) value[t] = 1;
  ft_block_sync();
  out[row + t] = value[t];)"),
                   {"inherits"});
  EXPECT_TRUE(bench.run("inherits", 1, 256).ok());
  const Outcome second = bench.run("inherits", 2, 256);
  EXPECT_EQ(second.status, Status::uninitialised_read);
  EXPECT_THAT(second.message, HasSubstr("block 1, thread 0"));
}

}  // namespace
}  // namespace fusetune::testing

// What correct kernels compute on the host device.
#include <gmock/gmock.h>

#include <numeric>

#include "support.hpp"

namespace fusetune::testing {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

class KernelWaves : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Host, KernelWaves, ::testing::Values(64, 32),
                         [](const auto& test) { return "w" + std::to_string(test.param); });

std::vector<float> ramp(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 1.0f);
  return values;
}

constexpr const char* kCopy = R"(
#include "ft.h"
FT_KERNEL(256) void copy(const void* in, void* out, ft_i64 chunks) {
  const ft_i64 i = static_cast<ft_i64>(blockIdx.x) * 256 + threadIdx.x;
  if (i >= chunks) return;
  const char* from = static_cast<const char*>(in) + i * FT_BYTES;
  char* to = static_cast<char*>(out) + i * FT_BYTES;
  if (i % 2 == 0) ft_store<FT_BYTES>(to, ft_load<FT_BYTES>(from));
  else ft_store_nontemporal<FT_BYTES>(to, ft_load_nontemporal<FT_BYTES>(from));
}
)";

TEST(Kernels, CopiesVectorsOfEveryWidthOverManyBlocks) {
  for (const int bytes : {2, 4, 8, 16}) {
    Bench bench;
    bench.build(kCopy, {"copy"}, {{"FT_BYTES", std::to_string(bytes)}});
    EXPECT_EQ(bench.compiled().facts.kernels.at(0).needs_fibres, false);
    const std::vector<float> values = ramp(100 * 256 * 4);
    const DevicePointer in = bench.upload(values, Place::high);
    for (const std::uint64_t seed : {0, 1, 2}) {
      const DevicePointer out = bench.allocate(values.size() * 4, Place::high);
      bench.device().schedule(seed);
      const auto chunks = static_cast<std::int64_t>(values.size()) * 4 / bytes;
      const Outcome outcome = bench.launch((chunks + 255) / 256, 256, {in, out, chunks});
      ASSERT_TRUE(outcome.ok()) << outcome.message;
      EXPECT_EQ(bench.download<float>(out, values.size()), values) << bytes << " bytes";
    }
  }
}

TEST_P(KernelWaves, BlockSumReachesEveryThread) {
  for (const int threads : {64, 1024}) {
    Bench bench(GetParam());
    bench.build(R"(
#include "ft.h"
FT_KERNEL(FT_BLOCK_SIZE) void sums(const float* in, float* out) {
  const int i = blockIdx.x * FT_BLOCK_SIZE + threadIdx.x;
  const float first = ft_block_sum<FT_BLOCK_SIZE>(in[i]);
  out[i] = first + ft_block_sum<FT_BLOCK_SIZE>(first);
}
)",
                {"sums"}, {{"FT_BLOCK_SIZE", std::to_string(threads)}});
    EXPECT_EQ(bench.compiled().facts.kernels.at(0).needs_fibres, true);
    const std::size_t count = 3 * static_cast<std::size_t>(threads);
    const std::vector<float> ones(count, 1.0f);
    const DevicePointer in = bench.upload(ones, Place::high);
    const DevicePointer out = bench.allocate(count * 4, Place::high);
    for (const std::uint64_t seed : {0, 1, 2, 3}) {
      bench.device().schedule(seed);
      const Outcome outcome = bench.launch(3, threads, {in, out});
      ASSERT_TRUE(outcome.ok()) << outcome.message;
      const float expected = static_cast<float>(threads + threads * threads);
      EXPECT_THAT(bench.download<float>(out, count), Each(expected)) << "seed " << seed;
    }
  }
}

/// Runs one block of 128 threads and returns, for each expression, what each thread makes of it.
std::vector<std::vector<float>> per_thread(Bench& bench,
                                           const std::vector<std::string>& expressions,
                                           std::uint64_t seed) {
  std::string stores;
  for (std::size_t i = 0; i < expressions.size(); ++i)
    stores += "  out[128 * " + std::to_string(i) + " + threadIdx.x] = " + expressions[i] + ";\n";
  bench.build(R"(
#include "ft.h"
FT_KERNEL(128) void shuffle(float* out) {
  const int lane = ft_lane();
  const float self = 1000.0f * ft_wave() + lane;
  (void)lane; (void)self;
)" + stores + "}\n",
              {"shuffle"});
  const DevicePointer out = bench.allocate(expressions.size() * 128 * 4, Place::high);
  bench.device().schedule(seed);
  const Outcome outcome = bench.launch(1, 128, {out});
  EXPECT_TRUE(outcome.ok()) << outcome.message;
  const auto flat = bench.download<float>(out, expressions.size() * 128);
  std::vector<std::vector<float>> values;
  for (auto row = flat.begin(); row != flat.end(); row += 128) values.emplace_back(row, row + 128);
  return values;
}

TEST_P(KernelWaves, ShufflesStayWithinTheirGroups) {
  Bench bench(GetParam());
  const int wave = GetParam();
  std::vector<std::string> expressions;
  for (int width = 8; width <= wave; width *= 2) {
    const std::string w = std::to_string(width);
    for (const std::string& expression :
         {"ft_shfl_xor(self, 3, " + w + ")", "ft_shfl(self, 5, " + w + ")",
          "ft_shfl_down(self, 3, " + w + ")", "ft_wave_sum<" + w + ">(self)",
          "ft_wave_max<" + w + ">(self)"})
      expressions.push_back(expression);
  }
  const auto values = per_thread(bench, expressions, 7);
  std::size_t next = 0;
  for (int width = 8; width <= wave; width *= 2, next += 5) {
    for (int i = 0; i < 128; ++i) {
      const auto value = [&](int lane) { return static_cast<float>(1000 * (i / wave) + lane); };
      const int lane = i % wave;
      const int begin = lane / width * width;
      const auto index = static_cast<std::size_t>(i);
      float sum = 0;
      for (int k = 0; k < width; ++k) sum += value(begin + k);
      EXPECT_EQ(values[next][index], value(lane ^ 3)) << "width " << width << ", thread " << i;
      EXPECT_EQ(values[next + 1][index], value(begin + 5));
      EXPECT_EQ(values[next + 2][index], value(lane + 3 < begin + width ? lane + 3 : lane));
      EXPECT_EQ(values[next + 3][index], sum) << "width " << width << ", thread " << i;
      EXPECT_EQ(values[next + 4][index], value(begin + width - 1));
    }
  }
}

TEST_P(KernelWaves, ShufflesMoveEightBytes) {
  Bench bench(GetParam());
  const auto values =
      per_thread(bench, {"(float)(ft_shfl_xor((ft_u64)lane << 40 | 1, 1) >> 40)"}, 0).front();
  EXPECT_EQ(values[0], 1.0f);
  EXPECT_EQ(values[1], 0.0f);
}

TEST_P(KernelWaves, BallotHasOneBitPerLane) {
  Bench bench(GetParam());
  bench.build(R"(
#include "ft.h"
FT_KERNEL(128) void votes(ft_u64* out) {
  out[threadIdx.x] = ft_ballot(ft_lane() % 3 == 0 && ft_wave() == 0);
}
)",
              {"votes"});
  const DevicePointer out = bench.allocate(128 * 8, Place::high);
  ASSERT_TRUE(bench.launch(1, 128, {out}).ok());
  std::uint64_t expected = 0;
  for (int lane = 0; lane < GetParam(); lane += 3) expected |= std::uint64_t{1} << lane;
  const auto votes = bench.download<std::uint64_t>(out, 128);
  for (std::size_t i = 0; i < 128; ++i)
    EXPECT_EQ(votes[i], i < static_cast<std::size_t>(GetParam()) ? expected : 0u) << i;
}

TEST_P(KernelWaves, LanesOfDivergedBranchesAndLoopsMeetAgain) {
  Bench bench(GetParam());
  // Each group of 8 lanes shuffles by itself, as often as its number; then all sum up.
  const auto values = per_thread(bench, {R"([&] {
    float v = 1.0f;
    for (int i = 0; i < lane / 8; ++i) v = ft_wave_sum<8>(v);
    v = lane < 16 ? ft_shfl(v, 0, 16) : v + ft_shfl(v, 8, 16);
    ft_wave_sync();
    return ft_wave_sum<FT_WAVE_SIZE>(1.0f) + 0.0f * v;
  }())"},
                                 3)
                          .front();
  EXPECT_THAT(values, Each(static_cast<float>(GetParam())));
}

TEST_P(KernelWaves, AtomicsAddUp) {
  Bench bench(GetParam());
  bench.build(R"(
#include "ft.h"
FT_KERNEL(128) void add(float* f, int* i, ft_u32* u, ft_u64* w) {
  FT_SHARED int local;
  if (threadIdx.x == 0) local = 0;
  ft_block_sync();
  ft_atomic_add(&local, 2);
  ft_block_sync();
  ft_atomic_add(f, 0.5f);
  ft_atomic_add(i, -1);
  ft_atomic_add(u, 3u);
  if (threadIdx.x == 0) ft_atomic_add(w, (ft_u64)local << 32);
}
)",
              {"add"});
  const auto f = bench.upload<float>({0}), w = bench.allocate(8);
  const auto i = bench.upload<std::int32_t>({0}), u = bench.upload<std::uint32_t>({0});
  ASSERT_TRUE(bench.launch(5, 128, {f, i, u, w}).ok());
  EXPECT_THAT(bench.download<float>(f, 1), ElementsAre(320.0f));
  EXPECT_THAT(bench.download<std::int32_t>(i, 1), ElementsAre(-640));
  EXPECT_THAT(bench.download<std::uint32_t>(u, 1), ElementsAre(1920u));
  EXPECT_THAT(bench.download<std::uint64_t>(w, 1), ElementsAre(std::uint64_t{1280} << 32));
}

TEST_P(KernelWaves, GridsAndBlocksHaveThreeDimensions) {
  Bench bench(GetParam());
  for (const char* sync : {"", "__syncthreads();"}) {
    bench.build(std::string(R"(
#include "ft.h"
FT_KERNEL(128) void index(int* out) {
  )") + sync + R"(
  const int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  const int size = blockDim.x * blockDim.y * blockDim.z;
  const int thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  out[block * size + thread] = ft_wave() * 1000 + ft_lane() + 1000000 * blockIdx.z;
}
)",
                {"index"});
    const DevicePointer out = bench.allocate(24 * 96 * 4, Place::high);
    bench.device().schedule(5);
    const Outcome outcome = bench.launch({"index", {3, 4, 2}, {8, 4, 3}, 0, {out}});
    ASSERT_TRUE(outcome.ok()) << outcome.message;
    const auto values = bench.download<std::int32_t>(out, 24 * 96);
    for (int i = 0; i < 24 * 96; ++i) {
      const int thread = i % 96, block = i / 96;
      EXPECT_EQ(values[static_cast<std::size_t>(i)],
                thread / GetParam() * 1000 + thread % GetParam() + block / 12 * 1000000);
    }
  }
}

TEST_P(KernelWaves, WholeBlocksMayExitEarly) {
  Bench bench(GetParam());
  bench.build(R"(
#include "ft.h"
FT_KERNEL(128) void early(float* out, ft_i64 rows) {
  if (blockIdx.x >= rows) return;
  out[blockIdx.x * 128 + threadIdx.x] = ft_block_sum<128>(1.0f);
}
)",
              {"early"});
  const DevicePointer out = bench.allocate(2 * 128 * 4, Place::high);
  const Outcome outcome = bench.launch(7, 128, {out, std::int64_t{2}});
  ASSERT_TRUE(outcome.ok()) << outcome.message;
  EXPECT_THAT(bench.download<float>(out, 256), Each(128.0f));
}

TEST_P(KernelWaves, DynamicSharedMemoryHasTheSizeOfTheLaunch) {
  Bench bench(GetParam());
  bench.build(R"(
#include "ft.h"
FT_KERNEL(128) void reverse(const int* in, int* out) {
  FT_DYNAMIC_SHARED(int, line);
  line[threadIdx.x] = in[blockIdx.x * 128 + threadIdx.x];
  ft_block_sync();
  out[blockIdx.x * 128 + threadIdx.x] = line[127 - threadIdx.x];
}
)",
              {"reverse"});
  std::vector<std::int32_t> values(256);
  std::iota(values.begin(), values.end(), 0);
  const DevicePointer in = bench.upload(values), out = bench.allocate(1024);
  ASSERT_TRUE(bench.launch(2, 128, {in, out}, 512).ok());
  const auto result = bench.download<std::int32_t>(out, 256);
  for (int i = 0; i < 256; ++i)
    EXPECT_EQ(result[static_cast<std::size_t>(i)], i / 128 * 128 + 127 - i % 128);

  const Outcome small = bench.launch(2, 128, {in, out}, 512 - 16);
  EXPECT_EQ(small.status, Status::out_of_bounds);
  EXPECT_THAT(small.message, ::testing::HasSubstr("dynamic shared memory of 496 bytes"));
  EXPECT_EQ(bench.launch(2, 128, {in, out}, 65537).status, Status::resource_limit);
}

TEST(Kernels, KeepsTwoLoadsOfOneFileApart) {
  Bench bench;
  constexpr const char* source = R"(
#include "ft.h"
FT_KERNEL(64) void where(ft_u64* out) {
  FT_SHARED int mine[4];
  mine[threadIdx.x % 4] = 1;
  ft_block_sync();
  out[0] = reinterpret_cast<ft_u64>(&mine[0]);
}
)";
  const DevicePointer out = bench.allocate(8);
  const LoadedCode& first = bench.build(source, {"where"});
  const LoadedCode& second = bench.load_again();
  const KernelLaunch launch{"where", {1, 1, 1}, {64, 1, 1}, 0, {out}};
  ASSERT_TRUE(bench.device().launch(first, launch).ok());
  const auto a = bench.download<std::uint64_t>(out, 1);
  ASSERT_TRUE(bench.device().launch(second, launch).ok());
  EXPECT_NE(bench.download<std::uint64_t>(out, 1), a);
}

}  // namespace
}  // namespace fusetune::testing

// Planted bugs, and what the host device says of them.
#include <gmock/gmock.h>

#include <cmath>
#include <csignal>
#include <set>

#include "support.hpp"

namespace fusetune::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class FaultWaves : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Host, FaultWaves, ::testing::Values(64, 32),
                         [](const auto& test) { return "w" + std::to_string(test.param); });

constexpr const char* kShift = R"(#include "ft.h"
FT_KERNEL(64) void shift(const float* in, float* out, ft_i64 read, ft_i64 written) {
  FT_MAYBE_SYNC
  const int i = blockIdx.x * 64 + threadIdx.x;
  out[i + written] = in[i + read];
}
)";

TEST(Faults, NamesReadsAndWritesOutsideOfABuffer) {
  for (const char* sync : {"", "ft_block_sync();"}) {
    Bench bench;
    bench.build(kShift, {"shift"}, {{"FT_MAYBE_SYNC", sync}});
    // Buffers of whole pages have an unmapped page at both ends.
    const DevicePointer in = bench.allocate(4096), out = bench.allocate(4096, Place::high);
    const auto run = [&](std::int64_t read, std::int64_t written) {
      return bench.launch(16, 64, {in, out, read, written});
    };
    EXPECT_TRUE(run(0, 0).ok());
    EXPECT_FALSE(bench.device().last_fault());

    const Outcome written_past = run(0, 1);
    EXPECT_EQ(written_past.status, Status::out_of_bounds);
    EXPECT_THAT(written_past.message,
                AllOf(HasSubstr("write 0 bytes past the end of a buffer of 4096 bytes"),
                      HasSubstr("block 15, thread 63"), HasSubstr("test.hip:5")));
    const auto fault = bench.device().last_fault();
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->buffer, out);
    EXPECT_EQ(fault->offset_bytes, 4096);
    EXPECT_EQ(fault->buffer_bytes, 4096);
    EXPECT_TRUE(fault->write);
    EXPECT_EQ(fault->block[0], 15);
    EXPECT_EQ(fault->thread[0], 63);
    EXPECT_EQ(fault->place, "test.hip:5");

    EXPECT_THAT(run(2, 0).message, HasSubstr("read 0 bytes past the end of a buffer of 4096"));
    EXPECT_EQ(bench.device().last_fault()->buffer, in);
    EXPECT_FALSE(bench.device().last_fault()->write);
    EXPECT_THAT(run(-1, 0).message,
                AllOf(HasSubstr("read 4 bytes before a buffer"), HasSubstr("block 0, thread 0")));
    EXPECT_THAT(run(0, -1).message, HasSubstr("write 4 bytes before a buffer"));
    EXPECT_EQ(bench.device().last_fault()->offset_bytes, -4);
    EXPECT_TRUE(run(0, 0).ok());
    EXPECT_FALSE(bench.device().last_fault());
  }
}

TEST(Faults, SeesOneElementPastAnyBufferPlacedHighAndBeforeAnyPlacedLow) {
  Bench bench;
  bench.build(kShift, {"shift"}, {{"FT_MAYBE_SYNC", ""}});
  const DevicePointer in = bench.allocate(4096);
  const DevicePointer high = bench.allocate(256, Place::high), low = bench.allocate(256);
  const auto run = [&](DevicePointer out, std::int64_t written) {
    return bench.launch(1, 64, {in, out, std::int64_t{0}, written}).status;
  };
  EXPECT_EQ(run(high, 0), Status::ok);
  EXPECT_EQ(run(high, 1), Status::out_of_bounds);
  EXPECT_EQ(run(low, 0), Status::ok);
  EXPECT_EQ(run(low, -1), Status::out_of_bounds);
  const DevicePointer empty = bench.allocate(0, Place::high);
  EXPECT_EQ(run(empty, 0), Status::out_of_bounds);
}

TEST(Faults, AWildAddressIsAKernelFault) {
  Bench bench;
  bench.build(kShift, {"shift"}, {{"FT_MAYBE_SYNC", ""}});
  const DevicePointer in = bench.allocate(4096);
  const Outcome null =
      bench.launch(1, 64, {in, DevicePointer{16}, std::int64_t{0}, std::int64_t{0}});
  EXPECT_EQ(null.status, Status::kernel_fault);
  EXPECT_THAT(null.message, HasSubstr("write at 0x10"));
  const DevicePointer wild = DevicePointer{1} << 62;
  const Outcome impossible = bench.launch(1, 64, {in, wild, std::int64_t{0}, std::int64_t{0}});
  EXPECT_EQ(impossible.status, Status::kernel_fault);
  EXPECT_THAT(impossible.message, HasSubstr("impossible address"));
}

TEST(Faults, MisalignedVectorsTrapWithTheirLine) {
  Bench bench;
  bench.build(R"(#include "ft.h"
FT_KERNEL(64) void wide(char* out, int offset, int raw) {
  if (raw) *reinterpret_cast<uint4*>(out + 16 * threadIdx.x + offset) = uint4{1, 2, 3, 4};
  else
    ft_store<16>(out + 16 * threadIdx.x + offset, ft_zero<16>());
}
)",
              {"wide"});
  const DevicePointer out = bench.allocate(4096);
  for (const std::int32_t raw : {0, 1}) {
    EXPECT_TRUE(bench.launch(1, 64, {out, 16, raw}).ok());
    for (const std::int32_t offset : {2, 4, 8}) {
      const Outcome outcome = bench.launch(1, 64, {out, offset, raw});
      EXPECT_EQ(outcome.status, Status::misaligned) << outcome.message;
      EXPECT_THAT(outcome.message,
                  AllOf(HasSubstr(raw != 0 ? "test.hip:3" : "test.hip:5"), HasSubstr("thread 0")));
    }
  }
}

TEST(Faults, MisalignmentOfNarrowAccessesTrapsToo) {
  Bench bench;
  bench.build(R"(#include "ft.h"
FT_KERNEL(64) void narrow(char* at, int bytes, int offset) {
  char* const p = at + 8 * threadIdx.x + offset;
  if (bytes == 2) ft_store<2>(p, ft_load<2>(p));
  if (bytes == 4) ft_store<4>(p, ft_zero<4>());
  if (bytes == 8) ft_store<8>(p, ft_load<8>(p));
}
)",
              {"narrow"});
  const DevicePointer at = bench.allocate(4096);
  for (const std::int32_t bytes : {2, 4, 8}) {
    EXPECT_TRUE(bench.launch(1, 64, {at, bytes, bytes}).ok());
    for (const std::int32_t offset : {1, bytes / 2})
      EXPECT_EQ(bench.launch(1, 64, {at, bytes, offset}).status, Status::misaligned)
          << bytes << " bytes, " << offset << " off";
  }
}

TEST(Faults, IntegerDivisionByZeroIsAKernelFault) {
  Bench bench;
  bench.build(R"(#include "ft.h"
FT_KERNEL(64) void divide(int* out, int by) { out[threadIdx.x] = 7 / by; }
)",
              {"divide"});
  const DevicePointer out = bench.allocate(4096);
  EXPECT_TRUE(bench.launch(1, 64, {out, 7}).ok());
  const Outcome outcome = bench.launch(1, 64, {out, 0});
  EXPECT_EQ(outcome.status, Status::kernel_fault);
  EXPECT_THAT(outcome.message, HasSubstr("division by zero"));
}

TEST(Faults, TooDeepStacksAreKernelFaults) {
  Bench bench;
  bench.build(R"(#include "ft.h"
__device__ __noinline__ int deep(int n) {
  volatile int frame[256];
  frame[n % 256] = n;
  return n == 0 ? frame[0] : deep(n - 1) + frame[n % 256];
}
FT_KERNEL(64) void recurse(int* out, int n) { ft_block_sync(); out[threadIdx.x] = deep(n); }
)",
              {"recurse"});
  const DevicePointer out = bench.allocate(4096);
  EXPECT_TRUE(bench.launch(1, 64, {out, 3}).ok());
  const Outcome outcome = bench.launch(1, 64, {out, 1000});
  EXPECT_EQ(outcome.status, Status::kernel_fault);
  EXPECT_THAT(outcome.message, HasSubstr("stack"));
}

TEST_P(FaultWaves, AnExitBeforeABarrierIsDivergent) {
  Bench bench(GetParam());
  bench.build(R"(#include "ft.h"
FT_KERNEL(256) void leave(float* out, int n) {
  if (threadIdx.x >= n) return;
  ft_block_sync();
  out[threadIdx.x] = 1;
}
)",
              {"leave"});
  const DevicePointer out = bench.allocate(4096);
  EXPECT_TRUE(bench.launch(2, 256, {out, 256}).ok());
  for (const std::uint64_t seed : {0, 1, 2}) {
    bench.device().schedule(seed);
    const Outcome one = bench.launch(2, 256, {out, 255});
    EXPECT_EQ(one.status, Status::divergent_barrier);
    EXPECT_THAT(one.message,
                HasSubstr("255 threads wait at line 4 (thread 0), 1 has exited (thread 255)"));
    const Outcome most = bench.launch(2, 256, {out, 1});
    EXPECT_THAT(most.message,
                HasSubstr("1 thread waits at line 4 (thread 0), 255 have exited (thread 1)"));
    EXPECT_TRUE(bench.launch(2, 256, {out, 256}).ok());
  }
}

TEST_P(FaultWaves, TwoBarriersAreNotOne) {
  Bench bench(GetParam());
  bench.build(R"(#include "ft.h"
FT_KERNEL(256) void split(float* out) {
  if (threadIdx.x % 2 == 0) {
    ft_block_sync();
    out[0] = 1;
  } else {
    __syncthreads();
    out[1] = 1;
  }
}
)",
              {"split"});
  const Outcome outcome = bench.launch(1, 256, {bench.allocate(4096)});
  EXPECT_EQ(outcome.status, Status::divergent_barrier);
  EXPECT_THAT(outcome.message, HasSubstr("128 threads wait at line 4 (thread 0), 128 threads wait "
                                         "at line 7 (thread 1)"));
}

TEST_P(FaultWaves, ReadingALaneThatTakesNoPartIsDivergent) {
  Bench bench(GetParam());
  bench.build(R"(#include "ft.h"
FT_KERNEL(64) void lanes(float* out, int n) {
  const int lane = ft_lane();
  if (lane < n) out[threadIdx.x] = ft_wave_sum<16>(1.0f);
}
)",
              {"lanes"});
  const DevicePointer out = bench.allocate(4096);
  EXPECT_TRUE(bench.launch(1, 64, {out, 16}).ok()) << "whole groups may shuffle alone";
  const Outcome partial = bench.launch(1, 64, {out, 20});
  EXPECT_EQ(partial.status, Status::divergent_barrier);
  EXPECT_THAT(partial.message,
              AllOf(HasSubstr("divergent shuffle"), HasSubstr("has exited"), HasSubstr("line 4")));
  EXPECT_EQ(bench.launch(1, 8, {out, 64}).status, Status::divergent_barrier)
      << "a wave of 8 threads has no group of 16";
}

/// What each thread of one block of 256 stores.
std::vector<float> outputs(Bench& bench, std::uint64_t seed) {
  const DevicePointer out = bench.allocate(256 * 4);
  bench.device().schedule(seed);
  const Outcome outcome = bench.launch(1, 256, {out});
  EXPECT_TRUE(outcome.ok()) << outcome.message;
  return bench.download<float>(out, 256);
}

TEST_P(FaultWaves, UninitialisedSharedMemoryShowsAndDiffersBySeed) {
  for (const char* store : {"", "if (threadIdx.x != 9) partial[threadIdx.x] = 1;"}) {
    Bench bench(GetParam());
    bench.build(R"(#include "ft.h"
FT_DEVICE float read() {
  FT_SHARED float partial[256];
  FT_STORE
  ft_block_sync();
  return partial[threadIdx.x];
}
FT_KERNEL(256) void reads(float* out) { out[threadIdx.x] = read(); }
)",
                {"reads"}, {{"FT_STORE", store}});
    const float first = outputs(bench, 1)[9], second = outputs(bench, 2)[9];
    EXPECT_TRUE(std::isnan(first) && std::isnan(second));
    EXPECT_NE(std::memcmp(&first, &second, sizeof first), 0);
  }
}

TEST_P(FaultWaves, AMissingBarrierShowsUnderSomeSeed) {
  Bench bench(GetParam());
  const auto source = [](const char* sync) {
    return std::string(R"(#include "ft.h"
FT_KERNEL(256) void broadcast(float* out) {
  FT_SHARED float value;
  ft_block_sync();
  if (threadIdx.x == 0) value = 42;
  )") + sync +
           R"(
  out[threadIdx.x] = value;
}
)";
  };
  const std::vector<float> right(256, 42.0f);
  bench.build(source("ft_block_sync();"), {"broadcast"});
  for (std::uint64_t seed = 0; seed < 8; ++seed) EXPECT_EQ(outputs(bench, seed), right);
  bench.build(source(""), {"broadcast"});
  int found = 0;
  for (std::uint64_t seed = 1; seed < 8; ++seed) found += outputs(bench, seed) != right;
  EXPECT_GE(found, 5) << "of 7 seeds";
}

TEST_P(FaultWaves, AMissingBarrierBetweenWavesShowsUnderSomeSeed) {
  Bench bench(GetParam());
  // Whole waves keep together: only their order can show it.
  bench.build(R"(#include "ft.h"
FT_KERNEL(256) void broadcast(float* out) {
  FT_SHARED float value;
  if (ft_wave() == 0) value = 42;
  ft_wave_sync();
  out[threadIdx.x] = value;
}
)",
              {"broadcast"});
  const std::vector<float> right(256, 42.0f);
  EXPECT_EQ(outputs(bench, 0), right) << "the natural order hides it";
  int found = 0;
  for (std::uint64_t seed = 1; seed < 8; ++seed) found += outputs(bench, seed) != right;
  EXPECT_GE(found, 3) << "of 7 seeds";
}

TEST_P(FaultWaves, SeedsPermuteBlocksAndThreads) {
  for (const char* sync : {"", "ft_block_sync();"}) {
    Bench bench(GetParam());
    bench.build(R"(#include "ft.h"
FT_KERNEL(256) void order(ft_u32* next, ft_u32* out) {
  FT_SYNC
  out[ft_atomic_add(next, 1u)] = blockIdx.x * gridDim.y * blockDim.x + threadIdx.x;
}
)",
                {"order"}, {{"FT_SYNC", sync}});
    const auto run = [&](std::int64_t grid, std::int64_t block, std::uint64_t seed) {
      const auto count = static_cast<std::size_t>(grid * block);
      const DevicePointer next = bench.allocate(4), out = bench.allocate(count * 4);
      bench.device().schedule(seed);
      EXPECT_TRUE(bench.launch(grid, block, {next, out}).ok());
      return bench.download<std::uint32_t>(out, count);
    };
    // Many threads of one block, then many blocks of one thread.
    for (const auto& [grid, block] : {std::pair{1, 256}, std::pair{97, 1}}) {
      const auto natural = run(grid, block, 0);
      for (std::uint32_t i = 0; i < natural.size(); ++i) EXPECT_EQ(natural[i], i);
      std::set<std::vector<std::uint32_t>> orders{natural};
      for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        const auto order = run(grid, block, seed);
        EXPECT_EQ(run(grid, block, seed), order) << "a seed is an order";
        EXPECT_EQ(std::set(order.begin(), order.end()).size(), order.size());
        orders.insert(order);
      }
      EXPECT_EQ(orders.size(), 5u) << grid << " blocks of " << block;
    }
  }
}

TEST(FaultsDeathTest, FaultsOutsideOfKernelsStayFatal) {
  EXPECT_EXIT(
      {
        Bench bench;
        ::raise(SIGSEGV);
        std::_Exit(0);
      },
      ::testing::KilledBySignal(SIGSEGV), "");
}

}  // namespace
}  // namespace fusetune::testing

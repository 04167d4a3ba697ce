#include "harness/compile/occupancy.hpp"

#include <gtest/gtest.h>

namespace fusetune {
namespace {

struct Use {
  std::int64_t vgpr = 1, agpr = 0, sgpr = 16, lds_bytes = 0, block_threads = 256;
};

std::optional<std::int64_t> waves(const char* target, const Use& use) {
  KernelFacts facts;
  facts.vgpr = use.vgpr;
  facts.agpr = use.agpr;
  facts.sgpr = use.sgpr;
  facts.lds_bytes = use.lds_bytes;
  return occupancy_waves(parse_target(target), facts, use.block_threads);
}

TEST(Occupancy, Gfx90aByVectorRegisters) {
  // 512 registers in granules of 8, 8 waves at most.
  EXPECT_EQ(waves("gfx90a", {.vgpr = 64}), 8);
  EXPECT_EQ(waves("gfx90a", {.vgpr = 65}), 7);
  EXPECT_EQ(waves("gfx90a", {.vgpr = 72}), 7);
  EXPECT_EQ(waves("gfx90a", {.vgpr = 73}), 6);
  EXPECT_EQ(waves("gfx90a", {.vgpr = 96}), 5);
  EXPECT_EQ(waves("gfx90a", {.vgpr = 128}), 4);
  EXPECT_EQ(waves("gfx90a", {.vgpr = 168}), 3);
  EXPECT_EQ(waves("gfx90a", {.vgpr = 169}), 2);
  EXPECT_EQ(waves("gfx90a", {.vgpr = 257}), 1);
  EXPECT_EQ(waves("gfx942", {.vgpr = 65}), 7);
}

TEST(Occupancy, Gfx9ByVectorAndScalarRegisters) {
  // 256 registers in granules of 4, 10 waves at most; 800 scalar ones in granules of 16.
  EXPECT_EQ(waves("gfx906", {.vgpr = 24}), 10);
  EXPECT_EQ(waves("gfx906", {.vgpr = 25}), 9);
  EXPECT_EQ(waves("gfx906", {.vgpr = 64}), 4);
  EXPECT_EQ(waves("gfx906", {.vgpr = 24, .sgpr = 80}), 10);
  EXPECT_EQ(waves("gfx906", {.vgpr = 24, .sgpr = 81}), 8);
  EXPECT_EQ(waves("gfx906", {.vgpr = 24, .sgpr = 102}), 7);
  // gfx908 has a file of AGPRs beside that of the VGPRs: the larger count decides.
  EXPECT_EQ(waves("gfx908", {.vgpr = 24, .agpr = 32}), 8);
  EXPECT_EQ(waves("gfx908", {.vgpr = 40, .agpr = 32}), 6);
}

TEST(Occupancy, Gfx10AndLaterWithWavesOf32) {
  // 1024 registers in granules of 16, 16 waves at most; gfx1100 has 1536 in granules of 24.
  EXPECT_EQ(waves("gfx1030", {.vgpr = 64}), 16);
  EXPECT_EQ(waves("gfx1030", {.vgpr = 65}), 12);
  EXPECT_EQ(waves("gfx1030", {.vgpr = 128}), 8);
  EXPECT_EQ(waves("gfx1030", {.vgpr = 256}), 4);
  EXPECT_EQ(waves("gfx1030", {.vgpr = 64, .sgpr = 106}), 16);
  EXPECT_EQ(waves("gfx1100", {.vgpr = 96}), 16);
  EXPECT_EQ(waves("gfx1100", {.vgpr = 97}), 12);  // 120 registers each
  // 264 registers each: five waves; blocks of eight waves leave one of the five unused.
  EXPECT_EQ(waves("gfx1100", {.vgpr = 256, .block_threads = 128}), 5);
  EXPECT_EQ(waves("gfx1100", {.vgpr = 256, .block_threads = 256}), 4);
}

TEST(Occupancy, ByLds) {
  // 64 KiB per compute unit of four SIMDs, in granules of 512 bytes; blocks of four waves.
  EXPECT_EQ(waves("gfx90a", {.lds_bytes = 8192}), 8);
  EXPECT_EQ(waves("gfx90a", {.lds_bytes = 8193}), 7);
  EXPECT_EQ(waves("gfx90a", {.lds_bytes = 32768}), 2);
  EXPECT_EQ(waves("gfx90a", {.lds_bytes = 65536}), 1);
  EXPECT_EQ(waves("gfx90a", {.lds_bytes = 65537}), 0);
  EXPECT_EQ(waves("gfx950", {.lds_bytes = 65537}), 2);
}

TEST(Occupancy, ByWholeBlocks) {
  // 7 waves on each of four SIMDs hold one block of 16 waves: four a SIMD.
  EXPECT_EQ(waves("gfx90a", {.vgpr = 72, .block_threads = 1024}), 4);
  EXPECT_EQ(waves("gfx90a", {.vgpr = 64, .block_threads = 1024}), 8);
  // At most 16 blocks of several waves; blocks of one wave are not counted.
  EXPECT_EQ(waves("gfx906", {.block_threads = 128}), 8);
  EXPECT_EQ(waves("gfx906", {.block_threads = 64}), 10);
  // 100 threads are two waves.
  EXPECT_EQ(waves("gfx90a", {.lds_bytes = 32768, .block_threads = 100}), 1);
  // One wave per SIMD does not hold 16 waves.
  EXPECT_EQ(waves("gfx90a", {.vgpr = 512, .block_threads = 1024}), 0);
}

TEST(Occupancy, UnknownStaysUnknown) {
  EXPECT_EQ(waves("host-w64", {}), std::nullopt);
  EXPECT_EQ(waves("sm_90", {}), std::nullopt);
  EXPECT_EQ(waves("gfx90a", {.block_threads = 0}), std::nullopt);
  EXPECT_EQ(occupancy_waves(parse_target("gfx90a"), {}, 256), std::nullopt);
  KernelFacts facts;
  facts.vgpr = 10;
  EXPECT_EQ(occupancy_waves({"gfx9999", Platform::amd, 64}, facts, 256), std::nullopt);
  EXPECT_EQ(occupancy_waves({"gfx90a:xnack+", Platform::amd, 64}, facts, 256), 8);
}

}  // namespace
}  // namespace fusetune

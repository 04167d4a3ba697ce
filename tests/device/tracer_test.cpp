// Every figure here was counted by hand from the pattern in the test.
#include "harness/device/host/exact/tracer.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace fusetune {
namespace {

constexpr std::uintptr_t kBase = 0x10000;

std::string place_of(std::uintptr_t site) { return "kernel.hip:" + std::to_string(site); }

/// One instruction of one wave: `address` says where each lane goes.
SiteTraffic instruction(int lanes, std::size_t bytes, bool shared,
                        const std::function<std::uintptr_t(int lane)>& address) {
  Tracer tracer;
  tracer.begin_launch("kernel", lanes == 32 ? 32 : 64, lanes);
  for (int lane = 0; lane < lanes; ++lane)
    tracer.access(7, lane, address(lane), bytes, false, shared);
  tracer.end_block();
  tracer.end_launch(place_of);
  const TracedTraffic traffic = tracer.traffic();
  EXPECT_EQ(traffic.sites.size(), 1u);
  return traffic.sites.at(0);
}

SiteTraffic global(std::size_t bytes, const std::function<std::uintptr_t(int lane)>& address,
                   int lanes = 64) {
  return instruction(lanes, bytes, false, address);
}

SiteTraffic shared(std::size_t bytes, const std::function<std::uintptr_t(int lane)>& address,
                   int lanes = 32) {
  return instruction(lanes, bytes, true, address);
}

TEST(TracerGlobal, SixteenBytesSideBySideFillTheirSegments) {
  // 64 x 16 = 1024 bytes.
  const SiteTraffic site = global(16, [](int lane) { return kBase + 16u * lane; });
  EXPECT_EQ(site.entry, "kernel");
  EXPECT_EQ(site.place, "kernel.hip:7");
  EXPECT_EQ(site.access_bytes, 16);
  EXPECT_EQ(site.instructions, 1);
  EXPECT_EQ(site.lanes, 64);
  EXPECT_EQ(site.segments_32, 32);
  EXPECT_EQ(site.segments_64, 16);
  EXPECT_EQ(site.segments_128, 8);
  EXPECT_EQ(site.ideal_32, 32);
  EXPECT_EQ(site.ideal_64, 16);
  EXPECT_EQ(site.ideal_128, 8);
  EXPECT_EQ(site.bank_passes, 0);
}

TEST(TracerGlobal, TwoBytesSideBySideNeedNoMoreSegmentsThanBytes) {
  // 64 x 2 = 128 bytes; of a wave of 32, 64 bytes.
  const auto address = [](int lane) { return kBase + 2u * lane; };
  const SiteTraffic wide = global(2, address);
  EXPECT_EQ(wide.segments_32, 4);
  EXPECT_EQ(wide.segments_64, 2);
  EXPECT_EQ(wide.segments_128, 1);
  EXPECT_EQ(wide.ideal_32, 4);
  const SiteTraffic narrow = global(2, address, 32);
  EXPECT_EQ(narrow.segments_32, 2);
  EXPECT_EQ(narrow.segments_128, 1);
  EXPECT_EQ(narrow.ideal_128, 1);
}

TEST(TracerGlobal, StridedLanesTakeASegmentEach) {
  // 2 bytes out of every 256.
  const SiteTraffic site = global(2, [](int lane) { return kBase + 256u * lane; });
  EXPECT_EQ(site.segments_32, 64);
  EXPECT_EQ(site.segments_64, 64);
  EXPECT_EQ(site.segments_128, 64);
  EXPECT_EQ(site.ideal_32, 4);
  EXPECT_EQ(site.ideal_64, 2);
  EXPECT_EQ(site.ideal_128, 1);
}

TEST(TracerGlobal, AnOffsetOf16BytesCostsOneSegmentMore) {
  // Bytes 16 .. 1040: 33 segments of 32, 17 of 64, 9 of 128.
  const SiteTraffic site = global(16, [](int lane) { return kBase + 16 + 16u * lane; });
  EXPECT_EQ(site.segments_32, 33);
  EXPECT_EQ(site.segments_64, 17);
  EXPECT_EQ(site.segments_128, 9);
  EXPECT_EQ(site.ideal_32, 32);
  EXPECT_EQ(site.ideal_64, 16);
  EXPECT_EQ(site.ideal_128, 8);
}

TEST(TracerGlobal, ABroadcastIsOneSegment) {
  const SiteTraffic site = global(4, [](int) { return kBase + 8; });
  EXPECT_EQ(site.segments_32, 1);
  EXPECT_EQ(site.segments_128, 1);
  EXPECT_EQ(site.ideal_32, 1);
}

TEST(TracerGlobal, TheOrderOfLanesDoesNotMatter) {
  const SiteTraffic site = global(4, [](int lane) { return kBase + 4u * (63 - lane); });
  EXPECT_EQ(site.segments_32, 8);
  EXPECT_EQ(site.ideal_32, 8);
}

TEST(TracerGlobal, OverlappingLanesCountTheirBytesOnce) {
  // Lane i has bytes 2i .. 2i+4: 130 bytes in all, 5 segments of 32 and 2 of 128.
  const SiteTraffic site = global(4, [](int lane) { return kBase + 2u * lane; });
  EXPECT_EQ(site.segments_32, 5);
  EXPECT_EQ(site.ideal_32, 5);
  EXPECT_EQ(site.segments_128, 2);
  EXPECT_EQ(site.ideal_128, 2);
}

TEST(TracerGlobal, WiderThan16BytesIsSeveralInstructions) {
  // 32 bytes per lane: two instructions of 16, each with a half of every segment.
  const SiteTraffic site = global(32, [](int lane) { return kBase + 32u * lane; });
  EXPECT_EQ(site.access_bytes, 16);
  EXPECT_EQ(site.instructions, 2);
  EXPECT_EQ(site.lanes, 128);
  EXPECT_EQ(site.segments_32, 128);
  EXPECT_EQ(site.ideal_32, 64);
}

TEST(TracerShared, StrideOneHasNoConflicts) {
  const SiteTraffic site = shared(4, [](int lane) { return 4u * lane; });
  EXPECT_EQ(site.bank_passes, 1);
  EXPECT_EQ(site.bank_passes_ideal, 1);
  EXPECT_EQ(site.segments_32, 0);
}

TEST(TracerShared, AWaveOf64IsTwoGroups) {
  const SiteTraffic site = shared(
      4, [](int lane) { return 4u * lane; }, 64);
  EXPECT_EQ(site.bank_passes, 2);
  EXPECT_EQ(site.bank_passes_ideal, 2);
}

TEST(TracerShared, AStrideOf32WordsServesOneLaneAtATime) {
  const SiteTraffic site = shared(4, [](int lane) { return 4u * 32 * lane; });
  EXPECT_EQ(site.bank_passes, 32);
  EXPECT_EQ(site.bank_passes_ideal, 1);
}

TEST(TracerShared, PaddingRowsTo33WordsRemovesTheConflicts) {
  const SiteTraffic site = shared(4, [](int lane) { return 4u * 33 * lane; });
  EXPECT_EQ(site.bank_passes, 1);
}

TEST(TracerShared, AStrideOfTwoWordsNeedsTwoPasses) {
  EXPECT_EQ(shared(4, [](int lane) { return 8u * lane; }).bank_passes, 2);
}

TEST(TracerShared, TheSameWordIsGivenToAllLanesAtOnce) {
  EXPECT_EQ(shared(4, [](int) { return 12u; }).bank_passes, 1);
  // Two 2-byte halves of one word, too.
  EXPECT_EQ(shared(2, [](int lane) { return 2u * lane; }).bank_passes, 1);
}

TEST(TracerShared, SixteenBytesGoInGroupsOfEightLanes) {
  // Side by side: 8 lanes are 128 bytes, one pass; 32 lanes are four groups.
  const SiteTraffic good = shared(16, [](int lane) { return 16u * lane; });
  EXPECT_EQ(good.bank_passes, 4);
  EXPECT_EQ(good.bank_passes_ideal, 4);
  // 128 bytes apart: all 8 lanes of a group want the same four banks.
  const SiteTraffic bad = shared(16, [](int lane) { return 128u * lane; });
  EXPECT_EQ(bad.bank_passes, 32);
  EXPECT_EQ(bad.bank_passes_ideal, 4);
}

TEST(TracerGrouping, EveryExecutionIsAnInstructionOfItsOwn) {
  Tracer tracer;
  tracer.begin_launch("kernel", 64, 64);
  for (int lane = 0; lane < 64; ++lane)
    for (unsigned i = 0; i < 3; ++i)
      tracer.access(7, lane, kBase + 4096 * i + 4u * lane, 4, true, false);
  tracer.end_block();
  tracer.end_launch(place_of);
  const SiteTraffic site = tracer.traffic().sites.at(0);
  EXPECT_TRUE(site.write);
  EXPECT_EQ(site.instructions, 3);
  EXPECT_EQ(site.segments_32, 24);
  EXPECT_EQ(site.ideal_32, 24);
}

TEST(TracerGrouping, WavesAndBlocksDoNotShareInstructions) {
  Tracer tracer;
  tracer.begin_launch("kernel", 32, 48);
  for (int block = 0; block < 2; ++block) {
    for (int thread = 0; thread < 48; ++thread)
      tracer.access(7, thread, kBase + 4u * thread, 4, false, false);
    tracer.end_block();
  }
  tracer.end_launch(place_of);
  const SiteTraffic site = tracer.traffic().sites.at(0);
  EXPECT_EQ(site.instructions, 4);
  EXPECT_EQ(site.lanes, 96);
  EXPECT_EQ(site.segments_32, 2 * (4 + 2));
}

TEST(TracerGrouping, ABarrierPutsLanesThatDivergedBesideEachOtherAgain) {
  Tracer tracer;
  tracer.begin_launch("kernel", 32, 32);
  tracer.access(7, 0, kBase + 4096, 4, false, false);  // lane 0 alone
  tracer.barrier();
  for (int lane = 0; lane < 32; ++lane) tracer.access(7, lane, kBase + 4u * lane, 4, false, false);
  tracer.end_block();
  tracer.end_launch(place_of);
  const TracedTraffic traffic = tracer.traffic();
  EXPECT_EQ(traffic.barriers, 1);
  EXPECT_EQ(traffic.sites.at(0).instructions, 2);
  EXPECT_EQ(traffic.sites.at(0).segments_32, 1 + 4);
}

TEST(TracerGrouping, LinesOfInlinedCodeAreSummedByWidthAndDirection) {
  Tracer tracer;
  tracer.begin_launch("kernel", 32, 32);
  tracer.access(1, 0, kBase, 4, false, false);
  tracer.access(2, 0, kBase, 4, false, false);
  tracer.access(3, 0, kBase, 2, false, false);
  tracer.access(4, 0, kBase, 4, true, false);
  tracer.wave_operation();
  tracer.end_block();
  tracer.end_launch([](std::uintptr_t) { return std::string("kernel.hip:9"); });
  const TracedTraffic traffic = tracer.traffic();
  ASSERT_EQ(traffic.sites.size(), 3u);
  std::int64_t instructions = 0;
  for (const SiteTraffic& site : traffic.sites) instructions += site.instructions;
  EXPECT_EQ(instructions, 4);
  EXPECT_EQ(traffic.read_bytes, 10);
  EXPECT_EQ(traffic.write_bytes, 4);
  EXPECT_EQ(traffic.wave_operations, 1);
}

TEST(TracerGrouping, LaunchesAddUpUntilTheyAreForgotten) {
  Tracer tracer;
  const auto launch = [&tracer](const char* entry) {
    tracer.begin_launch(entry, 64, 64);
    for (int lane = 0; lane < 64; ++lane)
      tracer.access(7, lane, kBase + 16u * lane, 16, false, false);
    tracer.end_block();
    tracer.end_launch(place_of);
  };
  launch("b");
  launch("a");
  launch("b");
  const TracedTraffic traffic = tracer.traffic();
  ASSERT_EQ(traffic.sites.size(), 2u);
  EXPECT_EQ(traffic.sites[0].entry, "a");
  EXPECT_EQ(traffic.sites[0].segments_32, 32);
  EXPECT_EQ(traffic.sites[1].segments_32, 64);
  EXPECT_EQ(traffic.read_bytes, 3 * 1024);
  tracer.clear();
  EXPECT_TRUE(tracer.traffic().sites.empty());
  EXPECT_EQ(tracer.traffic().read_bytes, 0);
}

TEST(TracerGrouping, ALaunchThatNeverEndedIsNotCounted) {
  Tracer tracer;
  tracer.begin_launch("kernel", 64, 64);
  tracer.access(7, 0, kBase, 4, false, false);
  tracer.barrier();
  tracer.begin_launch("kernel", 64, 64);
  tracer.end_block();
  tracer.end_launch(place_of);
  EXPECT_TRUE(tracer.traffic().sites.empty());
  EXPECT_EQ(tracer.traffic().barriers, 0);
}

}  // namespace
}  // namespace fusetune

#include "harness/measure/roofline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/measure/scripted_device.hpp"

namespace fusetune {
namespace {

const std::vector<Bandwidth> kCurve{{"1:0", 1, 1 << 20, 3000},
                                    {"1:0", 1, 1 << 28, 4000},
                                    {"0:1", 0, 1 << 28, 3600},
                                    {"1:1", 0.5, 1 << 28, 3800},
                                    {"1:1 strided", 0.5, 1 << 28, 9000}};

TEST(Roofline, IsTheBestOfAMixAndALineBetweenMixes) {
  EXPECT_EQ(memory_gb_s(kCurve, 1), 4000);
  EXPECT_EQ(memory_gb_s(kCurve, 0), 3600);
  EXPECT_EQ(memory_gb_s(kCurve, 0.5), 3800);
  EXPECT_NEAR(memory_gb_s(kCurve, 0.75), 3900, 1e-9);
  EXPECT_EQ(memory_gb_s({}, 0.5), 0);
}

TEST(Roofline, WhatIsFasterThanTheMemoryIsWrong) {
  const testing::ScriptedRace set(1);
  const Traffic traffic = traffic_of(set.which);
  const double least_us =
      static_cast<double>(traffic.read_bytes + traffic.write_bytes) / 3800 / 1000;
  RaceResult result;
  result.data = "cold";
  for (int epoch = 0; epoch < 4; ++epoch)
    for (int arm = 0; arm < 3; ++arm)
      // One on the limit, one beyond it, and one whose interval reaches below it.
      result.samples.push_back({arm, epoch, 0, 1,
                                least_us * (arm == 0         ? 1.0
                                            : arm == 1       ? 0.9
                                            : epoch % 2 == 0 ? 0.7
                                                             : 1.4)});
  RaceResult hot = result;
  hot.data = "hot";
  disprove_impossible(set.which, kCurve, hot);
  EXPECT_TRUE(hot.disproved.empty()) << "a cache may do more";
  disprove_impossible(set.which, kCurve, result);
  ASSERT_EQ(result.disproved.size(), 1U);
  EXPECT_EQ(result.disproved[0].arm, 1);
  EXPECT_EQ(result.disproved[0].outcome.status, Status::verification_failed);
  EXPECT_THAT(result.disproved[0].outcome.message, ::testing::HasSubstr("impossible"));
  EXPECT_EQ(testing::arms_in(result), (std::set<std::int32_t>{0, 2}));
}

}  // namespace
}  // namespace fusetune

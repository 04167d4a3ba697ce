#include "harness/report/scale.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace fusetune {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

TEST(Scale, PlacesByTheLogarithm) {
  const LogScale scale{1, 100, 0, 200};
  EXPECT_DOUBLE_EQ(scale.at(1), 0);
  EXPECT_DOUBLE_EQ(scale.at(10), 100);
  EXPECT_DOUBLE_EQ(scale.at(100), 200);
  EXPECT_DOUBLE_EQ(scale.at(1000), 200) << "outside stands at the end";
  EXPECT_DOUBLE_EQ(scale.at(0.01), 0);
  EXPECT_DOUBLE_EQ(scale.at(std::nan("")), 0) << "never NaN: it would spoil the picture";
}

TEST(Scale, RangesHoldAllFiguresAndPassOverWhatIsNone) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Range range = log_range({3, 0, -1, std::nan(""), infinity, 30}, 1.1, 2);
  EXPECT_DOUBLE_EQ(range.low, 3 / 1.1);
  EXPECT_DOUBLE_EQ(range.high, 33);
  const Range single = log_range({5}, 1, 4);
  EXPECT_DOUBLE_EQ(single.low, 2.5);
  EXPECT_DOUBLE_EQ(single.high, 10);
  EXPECT_EQ(log_range({}, 1.1, 8).high, 8);
}

TEST(Scale, TicksAreRoundAndNotTooMany) {
  EXPECT_THAT(log_ticks({0.9, 12}, 7), ElementsAre(1, 2, 5, 10));
  EXPECT_THAT(log_ticks({0.02, 0.3}, 7), ElementsAre(0.02, 0.05, 0.1, 0.2));
  EXPECT_THAT(log_ticks({1, 1000}, 7), ElementsAre(1, 10, 100, 1000));
  for (const double high : {1e3, 1e6, 1e12, 1e30})
    EXPECT_LE(log_ticks({1e-3, high}, 6).size(), 6U) << high;
}

TEST(Scale, TextsAreAsPreciseAsReadingNeeds) {
  EXPECT_EQ(us_text(1.6249), "1.62");
  EXPECT_EQ(us_text(9.996), "10.0") << "not 10.00";
  EXPECT_EQ(us_text(135.61), "136");
  EXPECT_EQ(us_text(std::nan("")), "unknown");
  EXPECT_EQ(tick_text(0.05), "0.05");
  EXPECT_EQ(tick_text(4096), "4096");
  EXPECT_EQ(bytes_text(64), "64 B");
  EXPECT_EQ(bytes_text(1536), "1.5 KiB");
  EXPECT_EQ(bytes_text(16.0 * 1024 * 1024), "16 MiB");
  EXPECT_EQ(times_text(1.494), "1.49\xC3\x97");
}

}  // namespace
}  // namespace fusetune

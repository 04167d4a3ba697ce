// The map of wrong tiles.

#include <gmock/gmock.h>

#include <algorithm>

#include "harness/verify/ladder.hpp"

namespace fusetune::test {
namespace {

TEST(MismatchMap, ShowsWhichTilesAreWrong) {
  std::vector<bool> wrong(12, false);
  wrong[5] = wrong[11] = true;
  EXPECT_EQ(mismatch_map(wrong, 4), "....\n.#..\n...#\n");
  EXPECT_EQ(mismatch_map({}, 4), "");

  std::vector<bool> large(100 * 1000, false);
  large[99 * 1000 + 999] = true;  // rows in tiles of 7, columns of 16
  const std::string map = mismatch_map(large, 1000);
  EXPECT_EQ(std::count(map.begin(), map.end(), '\n'), 15);
  EXPECT_EQ(map.find('\n'), 63u);
  EXPECT_EQ(map.find('#'), map.size() - 2);
  EXPECT_EQ(std::count(map.begin(), map.end(), '#'), 1);
}

}  // namespace
}  // namespace fusetune::test

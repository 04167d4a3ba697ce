#include "harness/tune/memory_gate.hpp"

#include <gmock/gmock.h>

namespace fusetune::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(MemoryGate, BeginsInOrderWhatFitsBesideTheRest) {
  std::vector<std::size_t> begun;
  MemoryGate gate({40, 70, 10, 50}, {1, 0, 2, 3}, 100, [&](std::size_t i) { begun.push_back(i); });
  EXPECT_THAT(begun, IsEmpty());
  gate.fill();
  EXPECT_THAT(begun, ElementsAre(1));  // 70; 40 more do not fit, and 10 may not overtake
  gate.ended(1);
  EXPECT_THAT(begun, ElementsAre(1, 0, 2, 3));  // 40, 10 and 50: just as much as there is
}

TEST(MemoryGate, WhatIsLargerThanAllMemoryRunsAlone) {
  std::vector<std::size_t> begun;
  MemoryGate gate({10, 500, 10}, {0, 1, 2}, 100, [&](std::size_t i) { begun.push_back(i); });
  gate.fill();
  EXPECT_THAT(begun, ElementsAre(0));
  gate.ended(0);
  EXPECT_THAT(begun, ElementsAre(0, 1));
  gate.ended(1);
  EXPECT_THAT(begun, ElementsAre(0, 1, 2));
}

TEST(MemoryGate, WhatEndsAtOnceMakesRoomForTheNext) {
  std::vector<std::size_t> begun;
  MemoryGate* whole = nullptr;
  MemoryGate gate({90, 90, 90}, {0, 1, 2}, 100, [&](std::size_t i) {
    begun.push_back(i);
    if (i < 2) whole->ended(i);  // known already
  });
  whole = &gate;
  gate.fill();
  EXPECT_THAT(begun, ElementsAre(0, 1, 2));
}

}  // namespace
}  // namespace fusetune::test

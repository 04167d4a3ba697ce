#include "harness/measure/portfolio.hpp"

#include <gmock/gmock.h>

#include <set>

namespace fusetune {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// The first is chosen.
KernelsOfRow row(const std::vector<std::pair<std::string, double>>& kernels) {
  return {kernels.front().first, {kernels.begin(), kernels.end()}};
}

TEST(ShareKernels, OneThatServesAllIsTaken) {
  EXPECT_THAT(share_kernels({row({{"a", 0}, {"all", 0.009}}), row({{"b", 0}, {"all", 0.004}}),
                             row({{"c", 0}, {"all", 0.001}})}),
              ElementsAre("all", "all", "all"));
}

TEST(ShareKernels, WhatNothingElseServesKeepsItsOwn) {
  EXPECT_THAT(share_kernels({row({{"a", 0}, {"b", 0.002}}), row({{"b", 0}}), row({{"c", 0}})}),
              ElementsAre("b", "b", "c"));
}

TEST(ShareKernels, RowsThatAgreeKeepTheirChoice) {
  EXPECT_THAT(share_kernels({row({{"b", 0.001}, {"a", 0}}), row({{"b", 0.001}, {"a", 0}})}),
              ElementsAre("b", "b"));
  EXPECT_THAT(share_kernels({}), IsEmpty());
}

TEST(ShareKernels, OfEqualCoversTheOneThatMoreRowsChoseThenTheCheaper) {
  EXPECT_THAT(share_kernels({row({{"b", 0}, {"a", 0}}), row({{"c", 0}, {"a", 0}, {"b", 0}}),
                             row({{"b", 0}, {"a", 0}})}),
              ElementsAre("b", "b", "b"));
  EXPECT_THAT(share_kernels({row({{"x", 0}, {"a", 0.006}, {"b", 0.003}}),
                             row({{"y", 0}, {"a", 0.001}, {"b", 0.003}})}),
              ElementsAre("b", "b"));
}

TEST(ShareKernels, NeighboursShareWhereThatNeedsNoFurtherKernel) {
  // Two kernels are needed; the middle row may use either, and chose the one that changes twice.
  EXPECT_THAT(share_kernels({row({{"a", 0}}), row({{"b", 0}, {"a", 0.005}}), row({{"a", 0}}),
                             row({{"b", 0}})}),
              ElementsAre("a", "a", "a", "b"));
}

TEST(ShareKernels, ALaterKernelMakesAnEarlierOneNeedless) {
  // The greedy first pick, m, serves the two in the middle; l and r then serve all four.
  EXPECT_THAT(share_kernels({row({{"l", 0}}), row({{"l", 0.001}, {"m", 0}}),
                             row({{"r", 0.001}, {"m", 0}}), row({{"r", 0}})}),
              ElementsAre("l", "l", "r", "r"));
}

}  // namespace
}  // namespace fusetune

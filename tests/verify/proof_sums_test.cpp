#include "harness/verify/proof_sums.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace fusetune::test {
namespace {

OutputMetrics metrics(double share, double cosine, const std::string& worst) {
  OutputMetrics output;
  output.tensor = "y";
  output.elements = 5;
  output.share_of_limit_max = share;
  output.cosine = cosine;
  output.norm_ratio = cosine;
  output.worst = worst;
  return output;
}

TEST(ProofSums, KeepTheWorstOfEachFigure) {
  std::vector<OutputMetrics> sums;
  add_outputs(sums, {metrics(0.5, 1.01, "first")});
  add_outputs(sums, {metrics(0.9, 0.999, "second")});
  add_outputs(sums, {metrics(0.7, 1, "third")});
  ASSERT_EQ(sums.size(), 1u);
  EXPECT_EQ(sums[0].elements, 15);
  EXPECT_EQ(sums[0].share_of_limit_max, 0.9);
  EXPECT_EQ(sums[0].cosine, 1.01);
  EXPECT_EQ(sums[0].norm_ratio, 1.01);
  EXPECT_EQ(sums[0].worst, "second");
}

TEST(ProofSums, NothingIsWorseThanNaN) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const bool nan_first : {true, false}) {
    std::vector<OutputMetrics> sums;
    add_outputs(sums, {nan_first ? metrics(nan, nan, "nan") : metrics(2, 0, "number")});
    add_outputs(sums, {nan_first ? metrics(2, 0, "number") : metrics(nan, nan, "nan")});
    EXPECT_TRUE(std::isnan(sums[0].share_of_limit_max));
    EXPECT_TRUE(std::isnan(sums[0].cosine));
    EXPECT_TRUE(std::isnan(sums[0].norm_ratio));
    EXPECT_EQ(sums[0].worst, "nan");
  }
}

TEST(ProofSums, ChecksAndTextsAreKeptByName) {
  std::vector<CheckCount> checks;
  add_checks(checks, {{"exact", 3, "elements"}});
  add_checks(checks, {{"guards", 1, "bytes"}, {"exact", 4, "elements"}});
  ASSERT_EQ(checks.size(), 2u);
  EXPECT_EQ(checks[0].comparisons, 7);
  std::vector<std::string> texts;
  add_texts(texts, {"a", "b", "a"});
  add_texts(texts, {"b", "c"});
  EXPECT_THAT(texts, testing::ElementsAre("a", "b", "c"));
}

}  // namespace
}  // namespace fusetune::test

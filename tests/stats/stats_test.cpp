#include "harness/stats/stats.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace fusetune {
namespace {

using Values = std::vector<double>;

TEST(Median, OddAndEven) {
  EXPECT_EQ(median(Values{9, 1, 5}), 5);
  EXPECT_EQ(median(Values{4, 1, 3, 2}), 2.5);
  EXPECT_EQ(median(Values{7}), 7);
}

TEST(Median, NothingOrNotANumberGivesNaN) {
  EXPECT_TRUE(std::isnan(median(Values{})));
  EXPECT_TRUE(std::isnan(median(Values{1, std::nan(""), 2})));
}

TEST(Quantile, InterpolatesBetweenOrderStatistics) {
  const Values values{40, 10, 30, 20};
  EXPECT_EQ(quantile(values, 0), 10);
  EXPECT_EQ(quantile(values, 1), 40);
  EXPECT_DOUBLE_EQ(quantile(values, 0.25), 17.5);
  EXPECT_DOUBLE_EQ(quantile(values, 0.95), 38.5);
  EXPECT_TRUE(std::isnan(quantile(values, 1.5)));
  EXPECT_TRUE(std::isnan(quantile(Values{}, 0.5)));
}

TEST(MadSigma, IsTheStandardDeviationOfANormalAndIgnoresAnOutlier) {
  EXPECT_DOUBLE_EQ(mad_sigma(Values{1, 2, 3, 4, 5}), 1.4826);
  EXPECT_DOUBLE_EQ(mad_sigma(Values{1, 2, 3, 4, 1000}), 1.4826);
  EXPECT_EQ(mad_sigma(Values{3, 3, 3}), 0);
  EXPECT_TRUE(std::isnan(mad_sigma(Values{})));
}

struct TQuantile {
  double p;
  std::size_t df;
  double expected;
};

// Two-sided and one-sided points of the published tables (three decimals).
TEST(StudentT, MatchesPublishedTables) {
  const std::vector<TQuantile> table{
      {0.975, 1, 12.706}, {0.975, 2, 4.303},    {0.975, 3, 3.182},      {0.975, 5, 2.571},
      {0.975, 10, 2.228}, {0.975, 30, 2.042},   {0.975, 120, 1.980},    {0.95, 1, 6.314},
      {0.95, 4, 2.132},   {0.95, 9, 1.833},     {0.99, 7, 2.998},       {0.995, 3, 5.841},
      {0.995, 11, 3.106}, {0.9995, 6, 5.959},   {0.9995, 2, 31.599},    {0.75, 8, 0.706},
      {0.90, 20, 1.325},  {0.9995, 1, 636.619}, {0.975, 100000, 1.960},
  };
  for (const TQuantile& row : table) {
    EXPECT_NEAR(student_t_quantile(row.p, row.df), row.expected, 6e-4) << row.p << " " << row.df;
  }
}

TEST(StudentT, MatchesTheClosedFormsOfOneAndTwoDegrees) {
  for (const double p : {0.6, 0.9, 0.975, 0.9999}) {
    const double one = std::tan(3.14159265358979323846 * (p - 0.5));
    const double two = (2 * p - 1) / std::sqrt(2 * p * (1 - p));
    EXPECT_NEAR(student_t_quantile(p, 1) / one, 1, 1e-10);
    EXPECT_NEAR(student_t_quantile(p, 2) / two, 1, 1e-10);
  }
}

TEST(StudentT, IsSymmetricAndRefusesNonsense) {
  EXPECT_EQ(student_t_quantile(0.5, 4), 0);
  EXPECT_DOUBLE_EQ(student_t_quantile(0.025, 7), -student_t_quantile(0.975, 7));
  for (const double p : {0.01, 0.3, 0.5, 0.8, 0.999})
    for (const std::size_t df : {1, 3, 20})
      EXPECT_NEAR(student_t_cdf(student_t_quantile(p, df), df), p, 1e-12) << p << " " << df;
  EXPECT_EQ(student_t_quantile(1, 3), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(student_t_quantile(0.9, 0)));
  EXPECT_TRUE(std::isnan(student_t_quantile(1.1, 3)));
}

TEST(TInterval, IsMeanAndHalfWidth) {
  const Interval interval = t_interval(Values{1, 2, 3, 4});
  EXPECT_DOUBLE_EQ(interval.mid, 2.5);
  // s = 1.29099, s / sqrt(4) = 0.645497, t(0.975, 3) = 3.182446
  EXPECT_NEAR(interval.low, 2.5 - 2.054260, 1e-5);
  EXPECT_NEAR(interval.high, 2.5 + 2.054260, 1e-5);
}

TEST(TInterval, OfOneOrNoneIsInfinite) {
  const Interval one = t_interval(Values{3});
  EXPECT_EQ(one.mid, 3);
  EXPECT_TRUE(std::isinf(one.low) && std::isinf(one.high));
  const Interval none = t_interval(Values{});
  EXPECT_TRUE(std::isnan(none.mid));
  EXPECT_TRUE(std::isinf(none.low) && std::isinf(none.high));
}

TEST(TheilSen, FindsTheSlopeDespiteAnOutlier) {
  EXPECT_DOUBLE_EQ(theil_sen_slope(Values{0, 1, 2, 3, 4}, Values{1, 3, 5, 7, 900}), 2);
  EXPECT_TRUE(std::isnan(theil_sen_slope(Values{1}, Values{1})));
  EXPECT_TRUE(std::isnan(theil_sen_slope(Values{1, 1}, Values{1, 2})));
  EXPECT_TRUE(std::isnan(theil_sen_slope(Values{1, 2}, Values{1})));
}

}  // namespace
}  // namespace fusetune

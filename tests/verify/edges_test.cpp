// Each edge holds what its name says, in every format.

#include "harness/verify/edges.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <set>

#include "tests/verify/computed_inputs.hpp"

namespace fusetune::test {
namespace {

using ::testing::Each;

class EdgesOf : public ::testing::TestWithParam<DType> {
 protected:
  /// x in the pass of an edge.
  std::vector<double> values(Edge edge, std::int64_t rows = kRows, std::int64_t width = kWidth) {
    const Inputs inputs(case_of(computing({edge}), GetParam(), rows, width), 7);
    const int pass = pass_named(inputs, std::string(to_string(edge)));
    return values_of(inputs.images(pass, Poison::a).at("x"));
  }
  FloatFormat format() const { return float_format(GetParam()); }
};

int count_if(const std::vector<double>& values, const std::function<bool(double)>& is) {
  return static_cast<int>(std::count_if(values.begin(), values.end(), is));
}

TEST_P(EdgesOf, ZerosHaveBothSignsWhereTheTypeHas) {
  const auto zeros = values(Edge::zeros);
  EXPECT_THAT(zeros, Each(0.0));
  const int negative = count_if(zeros, [](double value) { return std::signbit(value); });
  if (format().has_minus_zero)
    EXPECT_NEAR(negative, kRows * kWidth / 2, 60);
  else
    EXPECT_EQ(negative, 0);
}

TEST_P(EdgesOf, EqualRowsAreConstantAndDiffer) {
  const auto equal = values(Edge::equal);
  std::set<double> rows;
  for (std::int64_t row = 0; row < kRows; ++row) {
    const auto one = row_of(equal, row);
    EXPECT_THAT(one, Each(one[0]));
    EXPECT_NE(one[0], 0);
    rows.insert(one[0]);
  }
  EXPECT_GT(rows.size(), 12u);
}

TEST_P(EdgesOf, WideSpansTheExponents) {
  const auto wide = values(Edge::wide);
  const int low = std::max(-20, format().exponent_min);
  const int high = std::min(20, std::ilogb(format().max) - 1);
  std::set<int> exponents;
  for (const double value : wide) {
    ASSERT_TRUE(std::isfinite(value) && value != 0);
    exponents.insert(std::ilogb(value));
  }
  EXPECT_EQ(*exponents.begin(), low);
  EXPECT_GE(*exponents.rbegin(), high);  // rounding may carry
  EXPECT_LE(*exponents.rbegin(), high + 1);
  EXPECT_GE(std::ssize(exponents), high - low + 1);
  EXPECT_NEAR(count_if(wide, [](double value) { return value < 0; }), kRows * kWidth / 2, 60);
}

TEST_P(EdgesOf, DenormalsAreDenormal) {
  const double smallest_normal = std::ldexp(1, format().exponent_min);
  std::set<double> magnitudes;
  for (const double value : values(Edge::denormals)) {
    ASSERT_NE(value, 0);
    ASSERT_LT(std::fabs(value), smallest_normal);
    magnitudes.insert(std::fabs(value));
  }
  EXPECT_GE(magnitudes.size(),
            std::min<std::size_t>(7, (std::size_t{1} << format().mantissa_bits) - 1));
}

TEST_P(EdgesOf, HugeIsLargeButFinite) {
  const bool reaches = format().max > 0x1p56;
  double largest = 0;
  for (const double value : values(Edge::huge)) {
    ASSERT_TRUE(std::isfinite(value));
    ASSERT_GE(std::fabs(value), reaches ? 0x1p40 : format().max / 9);
    ASSERT_LE(std::fabs(value), reaches ? 0x1p56 : format().max);
    largest = std::max(largest, std::fabs(value));
  }
  if (reaches) {
    // A row of 16384 squares still fits fp32.
    EXPECT_LT(largest * largest * 16384 / 4, std::numeric_limits<float>::max());
    EXPECT_GT(largest, 0x1p54);
  } else {
    EXPECT_EQ(largest, format().max);
  }
}

TEST_P(EdgesOf, OneInfinityOfEachSignInDifferentRows) {
  if (!format().has_infinity) {
    EXPECT_FALSE(has_edge(GetParam(), Edge::infinities));
    const Inputs inputs(case_of(computing({Edge::infinities}), GetParam()), 7);
    for (int pass = 0; pass < inputs.passes(); ++pass)
      EXPECT_NE(inputs.pass_name(pass), "infinities");
    return;
  }
  const auto special = values(Edge::infinities);
  EXPECT_EQ(count_if(special, [](double value) { return std::isinf(value); }), 2);
  EXPECT_EQ(count_if(special, [](double value) { return std::isinf(value) && value > 0; }), 1);
  for (std::int64_t row = 0; row < kRows; ++row)
    EXPECT_LE(count_if(row_of(special, row), [](double value) { return std::isinf(value); }), 1);
  EXPECT_EQ(count_if(values(Edge::infinities, 1), [](double value) { return std::isinf(value); }),
            1);
}

TEST_P(EdgesOf, ExactlyOneElementIsNaN) {
  for (const std::int64_t rows : {1, 2, 16}) {
    const auto special = values(Edge::nan, rows);
    EXPECT_EQ(count_if(special, [](double value) { return std::isnan(value); }), 1);
    EXPECT_EQ(count_if(special, [](double value) { return std::isinf(value); }), 0);
  }
}

TEST_P(EdgesOf, EachRowHasOneOutlier) {
  const double limit = std::min(1e4, format().max);
  const auto special = values(Edge::outlier);
  std::set<std::ptrdiff_t> columns;
  for (std::int64_t row = 0; row < kRows; ++row) {
    // Where 1e4 is out of reach, rows scaled by 128 come near the largest as well.
    if (limit < 1e4 && row_scale(static_cast<std::uint64_t>(row)) > 16) continue;
    const auto one = row_of(special, row);
    const auto is = [&](double value) { return std::fabs(value) > 0.99 * limit; };
    EXPECT_EQ(count_if(one, is), 1) << row;
    columns.insert(std::find_if(one.begin(), one.end(), is) - one.begin());
  }
  EXPECT_GT(columns.size(), 4u);
}

TEST_P(EdgesOf, NeighboursCancel) {
  for (const std::int64_t width : {32, 33}) {
    const auto special = values(Edge::cancel, kRows, width);
    for (std::int64_t row = 0; row < kRows; ++row) {
      const auto one = row_of(special, row, width);
      for (std::int64_t i = 0; i + 1 < width; i += 2) {
        ASSERT_EQ(one[i], -one[i + 1]);
        EXPECT_NE(one[i], 0);
      }
      EXPECT_EQ(one.back() == 0, width % 2 == 1);
    }
  }
}

TEST_P(EdgesOf, OffsetsLieAroundAHundred) {
  double sum = 0;
  std::set<double> distinct;
  for (const double value : values(Edge::offset)) {
    ASSERT_NEAR(value, 100, 8);
    sum += value;
    distinct.insert(value);
  }
  EXPECT_NEAR(sum / (kRows * kWidth), 100, 4);
  EXPECT_GE(distinct.size(), 2u);
}

TEST_P(EdgesOf, OnlyTensorsThatDeclareTheEdgeHoldIt) {
  for (const Edge edge : all_edges()) {
    if (!has_edge(GetParam(), edge)) continue;
    const Inputs inputs(case_of(computing({edge}), GetParam()), 7);
    const int pass = pass_named(inputs, std::string(to_string(edge)));
    const auto acc = values_of(inputs.images(pass, Poison::a).at("acc"));
    const Generator usual = normal_with({});
    const TensorShape shape = inputs.images(0, Poison::a).at("acc").shape;
    const RandomValues expected(usual, shape, key_of(7, "acc", pass, 0));
    for (std::size_t i = 0; i < acc.size(); ++i)
      ASSERT_EQ(acc[i], decode(GetParam(), expected.bits(i))) << to_string(edge);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, EdgesOf,
                         ::testing::Values(DType::bf16, DType::fp16, DType::fp32, DType::e4m3fn,
                                           DType::e4m3fnuz),
                         [](const auto& param) { return std::string(to_string(param.param)); });

TEST(Edges, IntegersHaveNone) {
  for (const Edge edge : all_edges())
    for (const DType dtype : {DType::i32, DType::i64, DType::u8, DType::e8m0})
      EXPECT_FALSE(has_edge(dtype, edge));
}

}  // namespace
}  // namespace fusetune::test

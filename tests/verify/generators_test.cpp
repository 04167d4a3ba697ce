// Distributions of inputs, their edges, and indices with names.

#include "harness/verify/generators.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "harness/verify/codec.hpp"
#include "harness/verify/edges.hpp"
#include "harness/verify/inputs.hpp"
#include "harness/verify/named_generators.hpp"
#include "tests/verify/mirror_family.hpp"

namespace fusetune::test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

constexpr std::int64_t kRows = 16;
constexpr std::int64_t kWidth = 32;

Case case_of(const std::shared_ptr<Family>& family, DType dtype, std::int64_t rows = kRows,
             std::int64_t width = kWidth) {
  Case which = mirror_case({.rows = rows, .width = width, .padding = 3, .dtype = dtype});
  family->dtypes[0].values = all_dtypes();
  which.geometry.family = family;
  return which;
}

Generator normal_with(std::vector<Edge> edges) {
  Generator generator;
  generator.kind = Generator::Kind::normal;
  generator.edges = std::move(edges);
  return generator;
}

/// The mirror family with floats to compute with: x declares the edges, acc none.
std::shared_ptr<Family> computing(const std::vector<Edge>& edges) {
  auto family = mirror_family();
  family->tensors[0].generator = normal_with(edges);
  family->tensors[2].generator = normal_with({});
  return family;
}

std::vector<double> values_of(const TensorImage& image) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < image.shape.elements(); ++i) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, image.element(i), static_cast<std::size_t>(image.element_bytes()));
    values.push_back(decode(image.shape.dtype, bits));
  }
  return values;
}

int pass_named(const Inputs& inputs, const std::string& name) {
  for (int pass = 0; pass < inputs.passes(); ++pass)
    if (inputs.pass_name(pass) == name) return pass;
  ADD_FAILURE() << "no pass " << name;
  return 0;
}

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

std::vector<double> row_of(const std::vector<double>& values, std::int64_t row,
                           std::int64_t width = kWidth) {
  return {values.begin() + row * width, values.begin() + (row + 1) * width};
}

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

TEST(Generators, IntegersHaveNoEdges) {
  for (const Edge edge : all_edges())
    for (const DType dtype : {DType::i32, DType::i64, DType::u8, DType::e8m0})
      EXPECT_FALSE(has_edge(dtype, edge));
}

TEST(Generators, ComputingFamiliesHaveNormalPassesThenEdges) {
  const Inputs inputs(case_of(computing({Edge::nan, Edge::zeros}), DType::bf16), 1);
  std::vector<std::string> names;
  for (int pass = 0; pass < inputs.passes(); ++pass) names.push_back(inputs.pass_name(pass));
  EXPECT_THAT(names, ElementsAre("normal 0", "normal 1", "zeros", "nan"));
  EXPECT_FALSE(inputs.can_name(2, 2));
}

TEST(Generators, BitsCarryNumbersInEveryPassBesideFloats) {
  auto family = computing({Edge::outlier});
  family->tensors[2].generator = {};
  const Inputs inputs(case_of(family, DType::bf16), 1);
  std::vector<std::string> names;
  for (int pass = 0; pass < inputs.passes(); ++pass) names.push_back(inputs.pass_name(pass));
  EXPECT_THAT(names, ElementsAre("numbers 0", "numbers 1", "special bits", "outlier"));
  const TensorImages first = inputs.images(0, Poison::a), second = inputs.images(1, Poison::a);
  const std::vector<const std::byte*> values = {first.at("acc").element(40),
                                                second.at("acc").element(40)};
  EXPECT_EQ(inputs.source_of(values, 2), (Inputs::Source{"acc", 40}));
  const TensorImage last = inputs.images(3, Poison::a).at("acc");
  std::set<std::string> distinct;
  for (std::int64_t i = 0; i < kRows * kWidth; ++i)
    distinct.insert(std::string(reinterpret_cast<const char*>(last.element(i)), 2));
  EXPECT_GT(distinct.size(), 500u);
  // x holds floats, not numbers, in the passes of numbers.
  EXPECT_THAT(values_of(first.at("x")),
              Each(::testing::Truly([](double value) { return std::fabs(value) < 4 * 128; })));
}

TEST(Generators, AnyElementIsMadeAgain) {
  auto family = computing(all_edges());
  family->tensors[2].generator = {};
  for (const DType dtype : {DType::bf16, DType::fp32, DType::e4m3fn}) {
    const Inputs inputs(case_of(family, dtype, 5, 7), 3);
    for (int pass = 0; pass < inputs.passes(); ++pass)
      for (const int call : {0, 2}) {
        const TensorImages images = inputs.images(pass, Poison::b, call);
        for (const char* name : {"x", "acc"})
          for (std::int64_t i = 0; i < 35; ++i) {
            std::uint64_t bits = 0;
            std::memcpy(&bits, images.at(name).element(i),
                        static_cast<std::size_t>(size_bytes(dtype)));
            ASSERT_EQ(inputs.element(name, i, pass, call), bits) << name << i;
          }
      }
  }
  EXPECT_THROW(Inputs(mirror_case(), 1).element("y", 0, 0), std::logic_error);
}

TEST(Generators, CallsDifferInWhatIsReadOnly) {
  for (const bool numbers : {true, false}) {
    auto family = computing(all_edges());
    if (numbers)
      for (TensorDecl& tensor : family->tensors) tensor.generator = {};
    const Inputs inputs(case_of(family, DType::bf16), 3);
    for (int pass = 0; pass < inputs.passes(); ++pass) {
      const TensorImages first = inputs.images(pass, Poison::a, 0);
      const TensorImages second = inputs.images(pass, Poison::a, 1);
      EXPECT_NE(first.at("x").bytes, second.at("x").bytes) << inputs.pass_name(pass);
      EXPECT_NE(second.at("x").bytes, inputs.images(pass, Poison::a, 2).at("x").bytes);
      EXPECT_EQ(first.at("acc").bytes, second.at("acc").bytes);
      EXPECT_EQ(first.at("x").bytes, inputs.images(pass, Poison::a).at("x").bytes);
    }
  }
}

TEST(Generators, NumbersOfLaterCallsNameTheirElementsToo) {
  const Inputs inputs(mirror_case(), 3);
  const TensorImages first = inputs.images(0, Poison::a, 2),
                     second = inputs.images(1, Poison::a, 2);
  const std::vector<const std::byte*> values = {first.at("x").element(17),
                                                second.at("x").element(17)};
  EXPECT_EQ(inputs.source_of(values, 2, 2), (Inputs::Source{"x", 17}));
  EXPECT_FALSE(inputs.source_of(values, 2));
}

TEST(Generators, NormalValuesAreNormal) {
  constexpr int kCount = 1 << 17;
  double moments[4] = {};
  int within[4] = {};
  for (int i = 0; i < kCount; ++i) {
    const double value = normal_value(hash_at(42, static_cast<std::uint64_t>(i)));
    double power = 1;
    for (double& moment : moments) moment += (power *= value) / kCount;
    for (int deviations = 1; deviations < 4; ++deviations)
      within[deviations] += std::fabs(value) < deviations;
  }
  // Fixed counters: figures repeat to the last bit. The bounds are four standard errors.
  EXPECT_NEAR(moments[0], 0, 0.011);
  EXPECT_NEAR(moments[1], 1, 0.016);
  EXPECT_NEAR(moments[2], 0, 0.043);
  EXPECT_NEAR(moments[3], 3, 0.11);
  for (int deviations = 1; deviations < 4; ++deviations) {
    const double share = std::erf(deviations * std::sqrt(0.5));
    EXPECT_NEAR(within[deviations], share * kCount, 4 * std::sqrt(kCount * share * (1 - share)));
  }
  // The line between two quantiles meets the distribution.
  EXPECT_NEAR(normal_value(std::uint64_t{1} << 63), 0.6744897501960817, 1e-9);
  EXPECT_EQ(normal_value(0), 0);
}

TEST(Generators, TheFastEncoderEncodes) {
  for (const DType dtype : all_dtypes()) {
    const FastEncoder fast(dtype);
    const auto expect_same = [&](double value) {
      ASSERT_EQ(fast(value), encode(dtype, value, Overflow::saturate))
          << to_string(dtype) << " " << value;
    };
    for (std::uint64_t i = 0; i < 20000; ++i) {
      const std::uint64_t hash = hash_at(3, i);
      expect_same(std::bit_cast<double>(hash));
      expect_same(std::ldexp(normal_value(hash), static_cast<int>(hash >> 5 & 31) - 16));
    }
    for (const double value :
         {0.0, -0.0, 448.0, 449.0, 464.0, 240.0, 65504.0, 65519.9, 1e39, -1e39, 0x1p-6, 0x1.FFp-7,
          1.0625, 1.1875, 0x1.010000000001p0, std::numeric_limits<double>::infinity()})
      expect_same(value);
  }
}

TEST(Generators, NeighbouringElementsTensorsAndPassesAreIndependent) {
  constexpr std::uint64_t kCount = 1 << 15;
  double elements = 0, tensors = 0, passes = 0;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    const auto at = [](const char* tensor, int pass, std::uint64_t index) {
      return normal_value(hash_at(key_of(9, tensor, pass, 0), index));
    };
    elements += at("x", 0, i) * at("x", 0, i + 1) / kCount;
    tensors += at("x", 0, i) * at("w", 0, i) / kCount;
    passes += at("x", 0, i) * at("x", 1, i) / kCount;
  }
  EXPECT_NEAR(elements, 0, 0.022);
  EXPECT_NEAR(tensors, 0, 0.022);
  EXPECT_NEAR(passes, 0, 0.022);
}

TEST(Generators, RowsDifferInMagnitude) {
  const Inputs inputs(case_of(computing({}), DType::fp32, 8, 512), 1);
  const auto x = values_of(inputs.images(0, Poison::a).at("x"));
  std::vector<double> magnitudes;
  for (std::int64_t row = 0; row < 8; ++row) {
    double sum = 0;
    for (const double value : row_of(x, row, 512)) sum += value * value / 512;
    EXPECT_NEAR(std::sqrt(sum) / row_scale(static_cast<std::uint64_t>(row)), 1, 0.13);
    magnitudes.push_back(std::round(std::log2(std::sqrt(sum))));
  }
  EXPECT_THAT(magnitudes, ElementsAre(0, 5, 2, 7, 4, 1, 6, 3));
}

TEST(Generators, MeanAndDeviationAreAsDeclared) {
  Generator generator;
  generator.kind = Generator::Kind::normal;
  generator.mean = 3;
  generator.stddev = 0.25;
  generator.scale_rows = false;
  TensorShape shape;
  shape.dims = {64, 64};
  shape.row_elements = shape.row_stride = 64;
  shape.dtype = DType::fp32;
  const RandomValues values(generator, shape, 5);
  double sum = 0, squares = 0;
  for (std::uint64_t i = 0; i < 4096; ++i) {
    sum += values.value(i) / 4096;
    squares += (values.value(i) - 3) * (values.value(i) - 3) / 4096;
  }
  EXPECT_NEAR(sum, 3, 0.016);
  EXPECT_NEAR(std::sqrt(squares), 0.25, 0.012);
}

TEST(Generators, UniformIntegersIncludeBothEnds) {
  Generator generator;
  generator.kind = Generator::Kind::uniform;
  generator.low = -2;
  generator.high = 3;
  TensorShape shape;
  shape.dims = {1000};
  shape.dtype = DType::i32;
  const RandomValues whole(generator, shape, 5);
  std::map<double, int> counts;
  for (std::uint64_t i = 0; i < 1000; ++i) ++counts[decode(DType::i32, whole.bits(i))];
  ASSERT_EQ(counts.size(), 6u);
  EXPECT_EQ(counts.begin()->first, -2);
  EXPECT_EQ(counts.rbegin()->first, 3);
  for (const auto& [value, count] : counts) EXPECT_NEAR(count, 1000 / 6, 50) << value;
  shape.dtype = DType::fp32;
  const RandomValues real(generator, shape, 5);
  double sum = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    ASSERT_GE(real.value(i), -2);
    ASSERT_LT(real.value(i), 3);
    sum += real.value(i) / 1000;
  }
  EXPECT_NEAR(sum, 0.5, 0.19);
}

TEST(Generators, ATensorOfOneDimensionIsOneRow) {
  TensorShape shape;
  shape.dims = {100};
  shape.dtype = DType::fp32;
  const RandomValues usual(normal_with({}), shape, 11);
  EXPECT_EQ(usual.layout().rows, 1u);
  const EdgeValues outlier(Edge::outlier, usual);
  int outliers = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    EXPECT_LT(std::fabs(usual.value(i)), 4);
    outliers += std::fabs(decode(DType::fp32, outlier.bits(i))) == 1e4;
  }
  EXPECT_EQ(outliers, 1);
}

class NamedGenerators : public ::testing::Test {
 protected:
  std::vector<std::int64_t> values(const std::string& name, std::int64_t rows, std::int64_t below,
                                   std::uint64_t key = 1, std::int64_t columns = 0) {
    auto family = mirror_family();
    TensorDecl& x = family->tensors[0];
    x.generator.kind = Generator::Kind::named;
    x.generator.name = name;
    if (below >= 0) x.generator.below = Expr::constant(below);
    if (columns == 0) x.shape.pop_back();
    Case which = case_of(family, DType::i64, rows, std::max<std::int64_t>(columns, 1));
    which.row_strides.clear();
    return named_values(which, x, key);
  }
};

TEST_F(NamedGenerators, PositionsIncreaseFromARandomStart) {
  const auto line = values("positions", 10, 1000);
  for (std::size_t i = 1; i < 10; ++i) EXPECT_EQ(line[i], (line[i - 1] + 1) % 1000);
  EXPECT_NE(line[0], values("positions", 10, 1000, 2)[0]);
  const auto rows = values("positions", 3, 50, 1, 70);
  std::set<std::int64_t> starts;
  for (std::size_t row = 0; row < 3; ++row) {
    starts.insert(rows[row * 70]);
    for (std::size_t i = 1; i < 70; ++i)
      ASSERT_EQ(rows[row * 70 + i], (rows[row * 70 + i - 1] + 1) % 50);
  }
  EXPECT_EQ(starts.size(), 3u);
  EXPECT_EQ(*std::max_element(rows.begin(), rows.end()), 49);
  EXPECT_THROW(values("positions", 3, 0), UserError);
}

TEST_F(NamedGenerators, SlotsAreDistinctAndOneIsMissing) {
  for (const std::int64_t below : {5, 8, 100}) {
    const auto taken = values("slots", 5, below);
    EXPECT_EQ(std::count(taken.begin(), taken.end(), -1), 1);
    EXPECT_EQ(std::set(taken.begin(), taken.end()).size(), 5u);
    EXPECT_LT(*std::max_element(taken.begin(), taken.end()), below);
    EXPECT_EQ(*std::min_element(taken.begin(), taken.end()), -1);
  }
  EXPECT_THAT(values("slots", 2, 9), Each(::testing::Ge(0)));
  EXPECT_NE(values("slots", 5, 100, 1), values("slots", 5, 100, 2));
  EXPECT_THROW(values("slots", 6, 5), UserError);
  EXPECT_TRUE(values("slots", 0, 5).empty());
}

TEST_F(NamedGenerators, APermutationHasEachPlaceOnce) {
  for (const std::int64_t rows : {64, 1000, 1025}) {
    auto order = values("permutation", rows, -1);
    EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
    std::sort(order.begin(), order.end());
    for (std::int64_t i = 0; i < rows; ++i) ASSERT_EQ(order[static_cast<std::size_t>(i)], i);
  }
  EXPECT_THAT(values("permutation", 1, -1), ElementsAre(0));
  EXPECT_THAT(values("permutation", 3, -1), ::testing::UnorderedElementsAre(0, 1, 2));
}

TEST_F(NamedGenerators, TheRegistryHasWhatFamiliesMayName) {
  for (const NamedGenerator& known : named_generators())
    EXPECT_NE(find_named_generator(known.name), nullptr) << known.name;
  EXPECT_EQ(find_named_generator("nobody"), nullptr);
}

}  // namespace
}  // namespace fusetune::test

// Distributions of inputs, their passes and their calls.

#include "harness/verify/generators.hpp"

#include <bit>
#include <limits>
#include <map>
#include <set>

#include "tests/verify/computed_inputs.hpp"

namespace fusetune::test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

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

}  // namespace
}  // namespace fusetune::test

// The reference of rmsnorm_gemma against numbers worked out by hand, against vectors of code that
// is not ours, and against itself under changes that must not matter.
#include <gtest/gtest.h>

#include <cmath>

#include "golden_numbers.hpp"
#include "harness/verify/golden.hpp"
#include "rows.hpp"

namespace fusetune::reference::testing {
namespace {

using Numbers = std::vector<double>;

struct Norm {
  std::int64_t tokens = 1, width = 4;
  double eps = 0;
  std::string act = "bf16", weight_dtype = "bf16", stream = "bf16", stream_out = "bf16";
  std::string quant = "none", code = "e4m3fn", quant_source = "fp32", scale_floor = "amax_1e_10";
  std::string scale_layout = "row_major";
  std::int64_t group = 0;
  std::string weight_form = "one_plus", residual_rounding = "before_norm", mid_rounding = "off";
  Numbers x, weight, residual;

  void run(Rows& rows) const {
    Problem& p = rows.problem();
    const bool adds = !residual.empty();
    p.symbols = {{"tokens", tokens}, {"width", width}, {"group", group}};
    p.scalars = {{"eps", eps}};
    p.options = {{"weight_form", weight_form},
                 {"residual", adds ? "on" : "off"},
                 {"residual_rounding", residual_rounding},
                 {"mid_rounding", mid_rounding},
                 {"quant", quant},
                 {"quant_source", quant_source},
                 {"scale_floor", scale_floor},
                 {"scale_layout", scale_layout}};
    rows.input("x", act, {tokens, width}, x);
    rows.input("weight", weight_dtype, {width}, weight);
    rows.output("y", act, {tokens, width});
    if (adds) {
      rows.input("residual", stream, {tokens, width}, residual);
      rows.output("residual_out", stream_out, {tokens, width});
    }
    if (quant != "none") {
      const std::int64_t groups = quant == "group" ? width / group : 1;
      rows.output("q", code, {tokens, width});
      rows.output(
          "scale", "fp32",
          scale_layout == "transposed" ? std::vector{groups, tokens} : std::vector{tokens, groups});
    }
    rows.compute("rmsnorm_gemma");
  }
  Numbers y() const {
    Rows rows;
    run(rows);
    return rows.values("y");
  }
  Numbers truth() const {
    Rows rows;
    run(rows);
    return rows.truth("y").value;
  }
};

/// 1 + 4 + 4 + 16 over 4 is 2.5 squared.
Norm four() {
  Norm norm;
  norm.x = {1, 2, -2, 4};
  norm.weight = {0, 1, -0.5, 0.25};
  return norm;
}

void expect_near(const Numbers& actual, const Numbers& expected, double relative) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i)
    EXPECT_NEAR(actual[i], expected[i], relative * std::fabs(expected[i])) << "element " << i;
}

TEST(RmsnormGemma, FourElementsByHand) {
  Norm norm = four();
  expect_near(norm.truth(), {0.4, 1.6, -0.4, 2.0}, 1e-15);
  norm.weight_form = "plain";
  expect_near(norm.truth(), {0, 0.8, 0.4, 0.4}, 1e-15);
  norm.eps = 2.75;  // 6.25 + 2.75 is 3 squared
  expect_near(norm.truth(), {0, 2.0 / 3, 1.0 / 3, 1.0 / 3}, 1e-15);
  EXPECT_EQ(norm.y(), (Numbers{0, 0x1.56p-1, 0x1.56p-2, 0x1.56p-2})) << "rounded once, to nearest";
}

TEST(RmsnormGemma, MagnitudesAreThoseOfTheTerms) {
  Rows rows;
  four().run(rows);
  expect_near(rows.truth("y").magnitude, {0.4, 1.6, 1.2, 2.0}, 1e-15);
}

TEST(RmsnormGemma, TheSumIsRoundedBeforeOrAfterTheNorm) {
  Norm norm;
  norm.width = 2;
  norm.x = {256, 256};
  norm.residual = {1, 0};  // 257 lies between the bf16 neighbours 256 and 258
  norm.weight = {0, 0};
  Rows rows;
  norm.run(rows);
  EXPECT_EQ(rows.values("residual_out"), (Numbers{256, 256}));
  EXPECT_EQ(rows.truth("residual_out").value, (Numbers{257, 256}));
  EXPECT_EQ(rows.truth("y").value, (Numbers{1, 1}));

  norm.residual_rounding = "after_norm";
  const double rms = std::sqrt((257.0 * 257 + 256.0 * 256) / 2);
  expect_near(norm.truth(), {257 / rms, 256 / rms}, 1e-15);

  norm.residual_rounding = "before_norm";
  norm.stream_out = "fp32";  // nothing is lost
  expect_near(norm.truth(), {257 / rms, 256 / rms}, 1e-15);
}

TEST(RmsnormGemma, CachedWeightsLoseSmallOnes) {
  Norm norm = four();
  norm.weight = {0x1p-8, 0x1p-7, -0x1p-9, 0};
  const double unit = 0.4;
  expect_near(norm.truth(),
              {unit * (1 + 0x1p-8), 2 * unit * (1 + 0x1p-7), -2 * unit * (1 - 0x1p-9), 4 * unit},
              1e-15);
  norm.weight_form = "one_plus_bf16";
  expect_near(norm.truth(), {unit, 2 * unit * (1 + 0x1p-7), -2 * unit, 4 * unit}, 1e-15);
}

TEST(RmsnormGemma, MidRoundingComesBeforeTheWeightAndWidensTheBoundAtTiesOnly) {
  Norm norm = four();
  norm.weight = {1, 1, 1, 1};
  norm.mid_rounding = "on";
  expect_near(norm.truth(),
              {2 * rounded("bf16", 0.4), 4 * rounded("bf16", 0.4), -4 * rounded("bf16", 0.4),
               8 * rounded("bf16", 0.4)},
              0);
  Rows far;
  norm.run(far);
  EXPECT_LT(far.truth("y").magnitude[0], 1);

  // 1.5 (1 + 2^-7) is a tie of bf16, and eps makes the row's factor 1.5 as well as fp32 can.
  norm.x = {1 + 0x1p-7, 0.5, 0, 0};
  norm.weight = {0, 0, 0, 0};
  norm.eps = 4.0 / 9 - ((1 + 0x1p-7) * (1 + 0x1p-7) + 0.25) / 4;
  Rows tie;
  norm.run(tie);
  const double error = 4 * std::sqrt(4.0) * 0x1p-24;
  EXPECT_NEAR(tie.truth("y").magnitude[0] * error, 0x1p-7, 0x1p-15) << "one step";
  EXPECT_LT(tie.truth("y").magnitude[1], 2);
}

TEST(RmsnormGemma, ZeroRowsAndSpecialValues) {
  Norm norm = four();
  norm.eps = 1e-6;
  norm.tokens = 3;
  const double inf = INFINITY;
  norm.x = {0, 0, 0, 0, 1, inf, 2, -3, 1, 2, NAN, 4};
  const Numbers y = norm.y();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(y[static_cast<std::size_t>(i)], 0) << i;
  EXPECT_EQ(y[4], 0);
  EXPECT_TRUE(std::isnan(y[5])) << "inf * 0";
  EXPECT_EQ(y[6], 0);
  EXPECT_EQ(y[7], 0);
  for (std::size_t i = 8; i < 12; ++i) EXPECT_TRUE(std::isnan(y[i])) << i;
}

TEST(RmsnormGemma, CodesAreInUnitsOfTheirGroup) {
  Norm norm = four();
  norm.quant = "group";
  norm.group = 2;
  Rows rows;
  norm.run(rows);  // 0.4, 1.6, -0.4, 2
  const double scales[] = {1.6 / 448, 2.0 / 448};
  expect_near(rows.truth("scale").value, {scales[0], scales[1]}, 1e-15);
  expect_near(rows.truth("q").value, {112, 448, -89.6, 448}, 1e-15);
  EXPECT_EQ(rows.values("q"), (Numbers{112, 448, -88, 448}));
  EXPECT_LT(rows.truth("q").magnitude[1], 449) << "nothing is rounded on the way";
  expect_near(rows.values("scale"), {scales[0], scales[1]}, 0x1p-24);

  norm.quant = "per_token";
  norm.code = "e4m3fnuz";
  Rows fnuz;
  norm.run(fnuz);
  expect_near(fnuz.truth("scale").value, {2.0 / 240}, 1e-15);
  EXPECT_EQ(fnuz.values("q"), (Numbers{48, 192, -48, 240}));
}

TEST(RmsnormGemma, TransposedScalesHaveTheirTokensSideBySide) {
  Norm norm = four();
  norm.tokens = 2;
  norm.x = {1, 2, -2, 4, 4, -2, 2, 1};
  norm.weight = {0, 0, 0, 0};
  norm.quant = "group";
  norm.group = 2;
  norm.scale_layout = "transposed";
  Rows rows;
  norm.run(rows);
  expect_near(rows.truth("scale").value, {0.8 / 448, 1.6 / 448, 1.6 / 448, 0.8 / 448}, 1e-15);
  const auto& describe = find("rmsnorm_gemma")->describe;
  EXPECT_EQ(describe(rows.problem(), "scale", 1), "scale of token 1, group 0");
}

TEST(RmsnormGemma, ScalesOfZeroRowsAreWhatTheFloorSays) {
  const std::map<std::string, double> floors{{"amax_1e_10", 1e-10f / 448.0},
                                             {"amax_512th", 1.0 / 512 / 448},
                                             {"scale_1e_10", 1e-10f},
                                             {"one", 1}};
  for (const auto& [floor, scale] : floors) {
    Norm norm = four();
    norm.eps = 1;
    norm.x = {0, 0, 0, 0};
    norm.quant = "per_token";
    norm.scale_floor = floor;
    Rows rows;
    norm.run(rows);
    EXPECT_EQ(rows.truth("scale").value.at(0), scale) << floor;
    EXPECT_EQ(rows.values("q"), (Numbers{0, 0, 0, 0})) << floor;
  }
}

TEST(RmsnormGemma, TiesOnTheWayLeaveTheScaleInDoubt) {
  Norm norm;
  norm.quant = "per_token";
  norm.quant_source = "rounded";
  norm.width = 2;
  norm.x = {1, 1};
  norm.weight_dtype = "fp32";
  norm.weight = {0x1p-8, -0.5};  // 1 + 2^-8 lies between two bf16 neighbours
  Rows tie;
  norm.run(tie);
  EXPECT_EQ(tie.truth("scale").value.at(0), 1.0 / 448);
  const double error = 4 * std::sqrt(2.0) * 0x1p-24;
  EXPECT_NEAR(tie.truth("scale").magnitude[0] * error * 448, 0x1p-7, 0x1p-12) << "one step";
  EXPECT_NEAR(tie.truth("q").magnitude[1] * error, 0x1p-7 * 224, 0x1p-4);
  norm.weight = {0x1.8p-8, -0.5};
  Rows clear;
  norm.run(clear);
  EXPECT_LT(clear.truth("scale").magnitude[0] * 448, 2);
}

TEST(RmsnormGemma, DequantisedRowsQuantiseToThemselves) {
  Norm norm = four();
  norm.quant = "per_token";
  Rows rows;
  norm.run(rows);
  const Numbers codes = rows.values("q");
  const double scale = rows.values("scale").at(0);
  Norm again = four();
  again.quant = "per_token";
  again.act = "fp32";
  again.weight = {0, 0, 0, 0};
  again.x.clear();
  for (const double code : codes) again.x.push_back(code * scale);
  Rows second;
  again.run(second);
  EXPECT_EQ(second.values("q"), codes);
}

TEST(RmsnormGemma, ElementsHaveNames) {
  Norm norm = four();
  norm.quant = "group";
  norm.group = 2;
  Rows rows;
  norm.run(rows);
  const auto& describe = find("rmsnorm_gemma")->describe;
  EXPECT_EQ(describe(rows.problem(), "y", 14), "y of token 3, column 2");
  EXPECT_EQ(describe(rows.problem(), "weight", 3), "weight of column 3");
  EXPECT_EQ(describe(rows.problem(), "scale", 3), "scale of token 1, group 1");
}

TEST(RmsnormGemma, ScalingByAPowerOfTwoAndPermutingRowsChangeNothing) {
  Norm norm;
  norm.tokens = 3;
  norm.width = 5;
  norm.eps = 0x1p-20;
  norm.weight = {0.5, -0.25, 0, 2, 1};
  for (int i = 0; i < 15; ++i) norm.x.push_back(std::ldexp(1 + (7 * i) % 16, -3));
  const Numbers y = norm.truth();
  Norm scaled = norm;
  scaled.eps = 0x1p-14;
  for (double& x : scaled.x) x *= 8;
  EXPECT_EQ(scaled.truth(), y);
  Norm rotated = norm;
  std::rotate(rotated.x.begin(), rotated.x.begin() + 5, rotated.x.end());
  Numbers expected = y;
  std::rotate(expected.begin(), expected.begin() + 5, expected.end());
  EXPECT_EQ(rotated.truth(), expected);
}

/// Every difference lies within what fp32 may lose over a row.
void expect_fp32(const Numbers& actual, const Truth& truth, std::int64_t width) {
  const double error = 4 * std::sqrt(static_cast<double>(width)) * 0x1p-24;
  ASSERT_EQ(actual.size(), truth.value.size());
  for (std::size_t i = 0; i < actual.size(); ++i)
    ASSERT_LE(std::fabs(actual[i] - truth.value[i]), error * truth.magnitude[i] + 0x1p-149)
        << "element " << i;
}

TEST(RmsnormGemma, AgreesWithTheModulesOfTransformers) {
  const auto cases =
      read_golden(std::filesystem::path(FUSETUNE_TESTS_DIR) / "golden/norm.safetensors");
  int seen = 0;
  for (const GoldenCase& golden : cases) {
    if (golden.family != "rmsnorm_1pw") continue;
    SCOPED_TRACE(golden.name);
    ++seen;
    Norm norm;
    norm.tokens = golden.params.at("rows");
    norm.width = golden.params.at("D");
    norm.eps = golden.params.at("eps");
    norm.x = numbers_of(golden.tensors.at("x"));
    norm.weight = numbers_of(golden.tensors.at("weight"));
    const bool adds = golden.params.at("residual");
    if (adds) norm.residual = numbers_of(golden.tensors.at("residual"));
    Rows rows;
    norm.run(rows);
    if (adds) {
      EXPECT_EQ(rows.values("residual_out"), numbers_of(golden.tensors.at("residual_out")));
    }
    if (golden.tensors.count("y_f32") != 0)
      expect_fp32(numbers_of(golden.tensors.at("y_f32")), rows.truth("y"), norm.width);
    const Numbers y = rows.values("y"), theirs = numbers_of(golden.tensors.at("y"));
    std::int64_t others = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      others += y[i] != theirs[i];
      ASSERT_LE(std::fabs(y[i] - theirs[i]), 0x1p-7 * std::fabs(y[i])) << "element " << i;
    }
    // What is computed in fp32 falls on the other side of a tie about once in 2^16 * error.
    EXPECT_LE(others, 2 + static_cast<std::int64_t>(y.size()) / 1000);
    if (golden.tensors.count("y_f32_unrounded_sum") != 0) {
      norm.residual_rounding = "after_norm";
      Rows after;
      norm.run(after);
      expect_fp32(numbers_of(golden.tensors.at("y_f32_unrounded_sum")), after.truth("y"),
                  norm.width);
    }
  }
  EXPECT_EQ(seen, 7);
}

}  // namespace
}  // namespace fusetune::reference::testing

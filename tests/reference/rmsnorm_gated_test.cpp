// The reference of rmsnorm_gated against numbers worked out by hand, against vectors of code that
// is not ours, and against itself under changes that must not matter.
#include <gtest/gtest.h>

#include <cmath>

#include "golden_numbers.hpp"
#include "harness/verify/golden.hpp"
#include "rows.hpp"

namespace fusetune::reference::testing {
namespace {

using Numbers = std::vector<double>;

struct Gated {
  std::int64_t tokens = 1, heads = 1, head_dim = 4, norm_group = 0, group = 4;
  double eps = 0;
  std::string act = "bf16", weight_dtype = "bf16", code = "e4m3fn";
  std::map<std::string, std::string> options{{"norm_before_gate", "on"},
                                             {"activation", "silu"},
                                             {"bias", "off"},
                                             {"mid_rounding", "off"},
                                             {"quant", "none"},
                                             {"quant_source", "fp32"},
                                             {"scale_rounding", "none"},
                                             {"scale_floor", "scale_1e_10"},
                                             {"scale_layout", "row_major"}};
  Numbers x, z, weight, bias;

  void run(Rows& rows) const {
    Problem& p = rows.problem();
    p.symbols = {{"tokens", tokens},
                 {"heads", heads},
                 {"head_dim", head_dim},
                 {"norm_group", norm_group == 0 ? head_dim : norm_group},
                 {"group", group}};
    p.scalars = {{"eps", eps}};
    p.options = options;
    p.options["bias"] = bias.empty() ? "off" : "on";
    rows.input("x", act, {tokens, heads, head_dim}, x);
    rows.input("z", act, {tokens, heads, head_dim}, z);
    rows.input("weight", weight_dtype, {head_dim}, weight);
    if (!bias.empty()) rows.input("bias", weight_dtype, {head_dim}, bias);
    rows.output("y", act, {tokens, heads, head_dim});
    if (options.at("quant") != "none") {
      const std::int64_t width = heads * head_dim;
      const std::int64_t groups = options.at("quant") == "group" ? width / group : 1;
      const bool transposed = options.at("scale_layout") == "transposed";
      rows.output("q", code, {tokens, width});
      rows.output("scale", "fp32",
                  transposed ? std::vector{groups, tokens} : std::vector{tokens, groups});
    }
    rows.compute("rmsnorm_gated");
  }
  Numbers truth() const {
    Rows rows;
    run(rows);
    return rows.truth("y").value;
  }
};

/// 1 + 4 + 4 + 16 over 4 is 2.5 squared: normed 0.4, 0.8, -0.8, 1.6.
Gated four() {
  Gated gated;
  gated.x = {1, 2, -2, 4};
  gated.z = {0, 0, 0, 0};
  gated.weight = {1, 2, 0.5, -1};
  return gated;
}

double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

void expect_near(const Numbers& actual, const Numbers& expected, double relative) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i)
    EXPECT_NEAR(actual[i], expected[i], relative * std::fabs(expected[i])) << "element " << i;
}

TEST(RmsnormGated, FourElementsByHand) {
  Gated gated = four();
  gated.options["activation"] = "sigmoid";  // one half
  expect_near(gated.truth(), {0.2, 0.8, -0.2, -0.8}, 1e-15);
  gated.bias = {1, 0, 2, 0};
  expect_near(gated.truth(), {0.7, 0.8, 0.8, -0.8}, 1e-15);
  gated.options["activation"] = "silu";
  gated.z = {0, 1, -2, 3};
  expect_near(gated.truth(), {0, 1.6 * sigmoid(1), 1.6 * -2 * sigmoid(-2), -1.6 * 3 * sigmoid(3)},
              1e-15);
}

TEST(RmsnormGated, TheGateMayComeFirst) {
  Gated gated = four();
  gated.options["norm_before_gate"] = "off";
  gated.options["activation"] = "sigmoid";
  expect_near(gated.truth(), {0.4, 1.6, -0.4, -1.6}, 1e-15);  // halves cancel
  gated.z = {0, 0, 0, -2};
  const double last = 4 * sigmoid(-2);
  const double rms = std::sqrt((0.25 + 1 + 1 + last * last) / 4);
  gated.bias = {0, 1, 0, 0};
  expect_near(gated.truth(), {0.5 / rms, 2 / rms + 1, -0.5 / rms, -last / rms}, 1e-15);
}

TEST(RmsnormGated, GroupsOfAHeadAndHeadsAreNormedApart) {
  Gated gated = four();
  gated.options["activation"] = "sigmoid";
  gated.weight = {1, 1, 1, 1};
  gated.norm_group = 2;
  gated.heads = 2;
  gated.x = {1, 7, 3, 3, 0, 5, -1, 1};
  gated.z = Numbers(8, 0);
  const double r = std::sqrt(12.5);
  expect_near(gated.truth(), {0.1, 0.7, 0.5, 0.5, 0, 2.5 / r, -0.5, 0.5}, 1e-15);
}

TEST(RmsnormGated, RoundsOnTheWayWhereAskedTo) {
  Gated gated = four();
  gated.options["activation"] = "sigmoid";
  gated.options["mid_rounding"] = "on";
  gated.weight = {3, 3, 3, 3};
  const auto twice = [](double normed) { return rounded("bf16", rounded("bf16", normed) * 3) / 2; };
  expect_near(gated.truth(), {twice(0.4), twice(0.8), -twice(0.8), twice(1.6)}, 0);
  gated.weight_dtype = "fp32";
  const auto once = [](double normed) { return rounded("bf16", normed) * 3 / 2; };
  EXPECT_NE(once(0.4), twice(0.4));
  expect_near(gated.truth(), {once(0.4), once(0.8), -once(0.8), once(1.6)}, 0);
}

TEST(RmsnormGated, LargeGatesAndSpecialValues) {
  Gated gated = four();
  gated.weight = {1, 1, 1, 1};
  const double inf = INFINITY;
  gated.z = {-inf, inf, -1000, 1000};
  Numbers y = gated.truth();
  EXPECT_TRUE(std::isnan(y[0])) << "-inf * 0";
  EXPECT_EQ(y[1], inf);
  EXPECT_EQ(y[2], 0);
  EXPECT_EQ(y[3], 1600);
  gated.options["activation"] = "sigmoid";
  y = gated.truth();
  EXPECT_EQ(y[0], 0);
  expect_near({y[1], y[3]}, {0.8, 1.6}, 1e-15);
  Rows rows;
  gated.run(rows);
  EXPECT_LT(rows.truth("y").magnitude[2] * 0x1p-24, 0x1p-125) << "only what underflows is forgiven";
}

TEST(RmsnormGated, CodesPerGroupAndPerToken) {
  Gated gated = four();
  gated.options["activation"] = "sigmoid";
  gated.options["quant"] = "group";
  gated.group = 2;
  Rows rows;
  gated.run(rows);  // 0.2, 0.8, -0.2, -0.8
  expect_near(rows.truth("scale").value, {0.8 / 448, 0.8 / 448}, 1e-15);
  EXPECT_EQ(rows.values("q"), (Numbers{112, 448, -112, -448}));
  gated.options["quant"] = "per_token";
  gated.heads = 2;
  gated.x = {1, 2, -2, 4, 1, 2, -2, 4};
  gated.z = {0, 0, 0, 0, 0, 0, 0, INFINITY};  // sigmoid 1
  gated.code = "e4m3fnuz";
  Rows whole;
  gated.run(whole);
  expect_near(whole.truth("scale").value, {1.6 / 240}, 1e-15);
  EXPECT_EQ(whole.values("q"), (Numbers{30, 120, -30, -120, 30, 120, -30, -240}));
}

TEST(RmsnormGated, ScalesAreTransposedAndMadePowersOfTwo) {
  Gated gated = four();
  gated.options["activation"] = "sigmoid";
  gated.options["quant"] = "group";
  gated.options["scale_layout"] = "transposed";
  gated.options["scale_rounding"] = "ue8m0";
  gated.group = 2;
  gated.tokens = 2;
  gated.weight = {1, 1, 1, 1};
  gated.x = {1, 2, -2, 4, 4, -2, 2, 1};
  gated.z = Numbers(8, 0);
  Rows rows;
  gated.run(rows);  // 0.4 / 448 is above 2^-11, 0.8 / 448 above 2^-10
  EXPECT_EQ(rows.values("scale"), (Numbers{0x1p-10, 0x1p-9, 0x1p-9, 0x1p-10}));
  EXPECT_EQ(rows.truth("scale").magnitude, (Numbers{0x1p-10, 0x1p-9, 0x1p-9, 0x1p-10}));
  EXPECT_EQ(find("rmsnorm_gated")->describe(rows.problem(), "scale", 1),
            "scale of token 1, group 0");
}

TEST(RmsnormGated, AScaleAtAPowerOfTwoIsInDoubt) {
  Gated gated;
  gated.options["activation"] = "sigmoid";
  gated.options["quant"] = "per_token";
  gated.options["scale_rounding"] = "ue8m0";
  gated.weight_dtype = "fp32";
  gated.x = {1, 1, 1, 1};
  gated.z = {0, 0, 0, 0};
  gated.weight = {896, 1, 1, 1};  // 448 / 448
  Rows rows;
  gated.run(rows);
  EXPECT_EQ(rows.values("scale"), (Numbers{1}));
  const double error = 4 * std::sqrt(12.0) * 0x1p-24;
  EXPECT_NEAR(rows.truth("scale").magnitude[0] * error, 1, 1e-3) << "it may be 2";
  gated.weight[0] = 900;
  Rows clear;
  gated.run(clear);
  EXPECT_EQ(clear.truth("scale").magnitude[0], 2);
}

TEST(RmsnormGated, ScalesOfZeroRowsAreWhatTheFloorSays) {
  const std::map<std::string, double> floors{{"amax_1e_10", 1e-10f / 448.0},
                                             {"amax_512th", 1.0 / 512 / 448},
                                             {"scale_1e_10", 1e-10f},
                                             {"one", 1}};
  for (const auto& [floor, scale] : floors) {
    Gated gated = four();
    gated.eps = 1;
    gated.x = {0, 0, 0, 0};
    gated.options["quant"] = "per_token";
    gated.options["scale_floor"] = floor;
    Rows rows;
    gated.run(rows);
    EXPECT_EQ(rows.truth("scale").value.at(0), scale) << floor;
    gated.options["scale_rounding"] = "ue8m0";
    Rows power;
    gated.run(power);
    // Only the floor of the magnitude comes before the rounding.
    EXPECT_EQ(power.truth("scale").value.at(0), floor == "amax_1e_10" ? 0x1p-42 : scale) << floor;
  }
}

TEST(RmsnormGated, ElementsHaveNames) {
  Gated gated = four();
  gated.heads = 2;
  gated.x = gated.z = Numbers(8, 1);
  Rows rows;
  gated.run(rows);
  const auto& describe = find("rmsnorm_gated")->describe;
  EXPECT_EQ(describe(rows.problem(), "y", 14), "y of token 1, head 1, element 2");
  EXPECT_EQ(describe(rows.problem(), "weight", 3), "weight of element 3");
}

TEST(RmsnormGated, ScalingByAPowerOfTwoAndPermutingRowsChangeNothing) {
  Gated gated;
  gated.tokens = 3;
  gated.eps = 0x1p-20;
  gated.weight = {0.5, -0.25, 1, 2};
  for (int i = 0; i < 12; ++i) {
    gated.x.push_back(std::ldexp(1 + (7 * i) % 16, -3));
    gated.z.push_back((5 * i) % 7 - 3);
  }
  const Numbers y = gated.truth();
  Gated scaled = gated;
  scaled.eps = 0x1p-14;
  for (double& x : scaled.x) x *= 8;
  EXPECT_EQ(scaled.truth(), y);
  for (Numbers* rows : {&gated.x, &gated.z})
    std::rotate(rows->begin(), rows->begin() + 4, rows->end());
  Numbers expected = y;
  std::rotate(expected.begin(), expected.begin() + 4, expected.end());
  EXPECT_EQ(gated.truth(), expected);
}

TEST(RmsnormGated, AgreesWithTheModulesOfTransformers) {
  const auto cases =
      read_golden(std::filesystem::path(FUSETUNE_TESTS_DIR) / "golden/norm.safetensors");
  int seen = 0;
  for (const GoldenCase& golden : cases) {
    if (golden.family != "rmsnorm_gated") continue;
    SCOPED_TRACE(golden.name);
    ++seen;
    Gated gated;
    gated.tokens = golden.params.at("rows");
    gated.head_dim = golden.params.at("D");
    gated.eps = golden.params.at("eps");
    gated.x = numbers_of(golden.tensors.at("x"));
    gated.z = numbers_of(golden.tensors.at("gate"));
    gated.weight = numbers_of(golden.tensors.at("weight"));
    if (golden.tensors.at("weight").dtype == "F32") gated.weight_dtype = "fp32";
    Rows rows;
    gated.run(rows);
    const Truth& truth = rows.truth("y");
    const Numbers exact = numbers_of(golden.tensors.at("y_f32"));
    const double error = 4 * std::sqrt(static_cast<double>(gated.head_dim + 8)) * 0x1p-24;
    for (std::size_t i = 0; i < exact.size(); ++i)
      ASSERT_LE(std::fabs(exact[i] - truth.value[i]), error * truth.magnitude[i] + 0x1p-149)
          << "element " << i;
    // The module in bf16 rounds on the way.
    gated.options["mid_rounding"] = "on";
    Rows mid;
    gated.run(mid);
    const Numbers theirs = numbers_of(golden.tensors.at("y"));
    const Numbers ours = mid.values("y");
    std::int64_t others = 0;
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      others += ours[i] != theirs[i];
      ASSERT_LE(std::fabs(theirs[i] - ours[i]),
                0x1p-7 * std::fabs(ours[i]) + error * mid.truth("y").magnitude[i])
          << "element " << i;
    }
    EXPECT_LE(others, 2 + static_cast<std::int64_t>(theirs.size()) / 500);
  }
  EXPECT_EQ(seen, 8);
}

}  // namespace
}  // namespace fusetune::reference::testing

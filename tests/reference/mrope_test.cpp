// The reference of mrope against numbers worked out by hand, against vectors of code that is not
// ours, and against itself under changes that must not matter.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "golden_numbers.hpp"
#include "harness/verify/golden.hpp"
#include "harness/verify/golden_tables.hpp"
#include "reference/rope.hpp"
#include "rows.hpp"

namespace fusetune::reference::testing {
namespace {

using Numbers = std::vector<double>;
using Indices = std::vector<std::int64_t>;

struct Rope {
  std::int64_t tokens = 1, q_heads = 1, kv_heads = 1, head_dim = 4, rotary_dim = 4, rows = 1;
  Indices sections = {0, 0, 0}, positions = {0};
  std::string rule = "none", pairs = "neox", in_place = "off", gate = "off";
  std::string table_layout = "packed", product_rounding = "off", act = "bf16", table = "bf16";
  std::string index = "i64";
  Numbers cos_sin, cos, sin, q, k;

  void run(Rows& to) const {
    Problem& p = to.problem();
    p.symbols = {
        {"tokens", tokens},          {"q_heads", q_heads},          {"kv_heads", kv_heads},
        {"head_dim", head_dim},      {"rotary_dim", rotary_dim},    {"max_position", rows},
        {"mrope_time", sections[0]}, {"mrope_height", sections[1]}, {"mrope_width", sections[2]}};
    p.options = {{"mrope", rule},
                 {"pairs", pairs},
                 {"in_place", in_place},
                 {"gate", gate},
                 {"table_layout", table_layout},
                 {"product_rounding", product_rounding}};
    if (rule == "none")
      to.indices("positions", index, {tokens}, positions);
    else
      to.indices("positions_thw", index, {3, tokens}, positions);
    if (table_layout == "packed") {
      to.input("cos_sin", table, {rows, rotary_dim}, cos_sin);
    } else {
      const auto columns = static_cast<std::int64_t>(cos.size()) / rows;
      to.input("cos", table, {rows, columns}, cos);
      to.input("sin", table, {rows, columns}, sin);
    }
    const std::int64_t q_columns = gate == "on" ? 2 * head_dim : head_dim;
    const bool moves = in_place == "off";
    to.input(!moves         ? "q_inout"
             : gate == "on" ? "q_gate"
                            : "q",
             act, {tokens, q_heads, q_columns}, q);
    to.input(moves ? "k" : "k_inout", act, {tokens, kv_heads, head_dim}, k);
    if (moves) {
      to.output("q_out", act, {tokens, q_heads, head_dim});
      to.output("k_out", act, {tokens, kv_heads, head_dim});
    }
    to.compute("mrope");
  }
  std::string q_name() const { return in_place == "on" ? "q_inout" : "q_out"; }
  Numbers q_result() const {
    Rows to;
    run(to);
    return to.values(q_name());
  }
  Numbers q_truth() const {
    Rows to;
    run(to);
    return to.truth(q_name()).value;
  }
};

/// No real angles: the sums stay simple numbers.
Rope four() {
  Rope rope;
  rope.cos_sin = {0.5, 2, 0.25, 1};
  rope.q = {1, 2, 3, 4};
  rope.k = {4, 3, 2, 1};
  return rope;
}

TEST(Mrope, PairsByHand) {
  Rope rope = four();
  EXPECT_EQ(rope.q_result(), (Numbers{0.5 - 0.75, 4 - 4, 1.5 + 0.25, 8 + 2}));
  rope.pairs = "gptj";
  EXPECT_EQ(rope.q_result(), (Numbers{0.5 - 0.5, 1 + 0.25, 6 - 4, 8 + 3}));
}

TEST(Mrope, KIsRotatedAsWell) {
  Rows to;
  four().run(to);
  EXPECT_EQ(to.values("k_out"), (Numbers{2 - 0.5, 6 - 1, 1 + 1, 2 + 3}));
}

TEST(Mrope, MagnitudesAreThoseOfTheTermsAndNothingIsCopied) {
  Rows to;
  four().run(to);
  EXPECT_EQ(to.truth("q_out").magnitude, (Numbers{1.25, 8, 1.75, 10}));
  EXPECT_EQ(to.truth("q_out").copied, std::vector<bool>(4, false));
}

TEST(Mrope, TablesMayLieApartAndTwice) {
  Rope rope = four();
  const Numbers expected = rope.q_result();
  rope.table_layout = "separate";
  rope.cos = {0.5, 2};
  rope.sin = {0.25, 1};
  EXPECT_EQ(rope.q_result(), expected);
  rope.table_layout = "duplicated";
  rope.cos = {0.5, 2, 0.5, 2};
  rope.sin = {0.25, 1, 0.25, 1};
  EXPECT_EQ(rope.q_result(), expected);
  rope.index = "i32";
  EXPECT_EQ(rope.q_result(), expected);
}

TEST(Mrope, ElementsBehindTheRotatedOnesAndGatesStay) {
  Rope rope = four();
  rope.rotary_dim = 2;
  rope.cos_sin = {0.5, 0.25};
  rope.gate = "on";
  rope.q = {1, 2, 3, -0.0, 5, 6, 7, 8};
  EXPECT_EQ(rope.q_result(), (Numbers{0, 1.25, 3, 0}));
  Rows out;
  rope.run(out);
  EXPECT_TRUE(std::signbit(out.values("q_out")[3])) << "moved, not computed";
  EXPECT_EQ(out.truth("q_out").copied, (std::vector<bool>{false, false, true, true}));

  rope.in_place = "on";
  EXPECT_EQ(rope.q_result(), (Numbers{0, 1.25, 3, 0, 5, 6, 7, 8}));
  Rows in;
  rope.run(in);
  EXPECT_EQ(in.truth("q_inout").copied,
            (std::vector<bool>{false, false, true, true, true, true, true, true}));
  EXPECT_EQ(in.truth("q_inout").value, (Numbers{0, 1.25, 3, 0, 5, 6, 7, 8}));
}

TEST(Mrope, MovedElementsKeepTheBytesOfTheirNaN) {
  Rope rope = four();
  rope.rotary_dim = 2;
  rope.cos_sin = {0.5, 0.25};
  Rows to;
  rope.run(to);
  const std::uint16_t marked = 0xff93;
  std::memcpy(to.problem().tensor("q").data + 2 * 2, &marked, 2);
  to.compute("mrope");
  std::uint16_t moved = 0;
  std::memcpy(&moved, to.problem().tensor("q_out").data + 2 * 2, 2);
  EXPECT_EQ(moved, marked);
}

TEST(Mrope, ProductsAreRoundedWhereTheOptionSaysSo) {
  Rope rope = four();
  const double step = 1 + 0x1p-7;  // squared it is no bf16
  rope.cos_sin = {step, 1, 0x1p-7, 0};
  rope.q = {step, 0, 1, 0};
  EXPECT_EQ(rope.q_truth()[0], step * step - 0x1p-7);
  rope.product_rounding = "on";
  EXPECT_EQ(rope.q_truth()[0], 1 + 0x1p-6 - 0x1p-7);
}

TEST(Mrope, AxesTakeTurnsOrHaveSections) {
  const std::vector<int> turns = axes_of("interleaved", {11, 11, 10}, 32);
  for (int i = 0; i < 32; ++i) {
    const bool height = i == 1 || i == 4 || i == 7 || i == 10 || i == 13 || i == 16 || i == 19 ||
                        i == 22 || i == 25 || i == 28 || i == 31;
    const bool width = i == 2 || i == 5 || i == 8 || i == 11 || i == 14 || i == 17 || i == 20 ||
                       i == 23 || i == 26 || i == 29;
    EXPECT_EQ(turns[static_cast<std::size_t>(i)], height ? 1 : width ? 2 : 0) << i;
  }
  EXPECT_EQ(axes_of("interleaved", {4, 1, 2}, 7), (std::vector<int>{0, 1, 2, 0, 0, 2, 0}));
  EXPECT_EQ(axes_of("sectioned", {1, 3, 2}, 6), (std::vector<int>{0, 1, 1, 1, 2, 2}));
  EXPECT_EQ(axes_of("none", {}, 3), (std::vector<int>{0, 0, 0}));
  EXPECT_THROW(axes_of("sectioned", {32, 32, 32}, 64), std::invalid_argument);
}

/// Eight rows in which every cosine and sine says where it stands.
Rope six() {
  Rope rope;
  rope.rule = "interleaved";
  rope.tokens = 2;
  rope.head_dim = rope.rotary_dim = 6;
  rope.sections = {1, 1, 1};
  rope.rows = 8;
  for (int row = 0; row < 8; ++row)
    for (int column = 0; column < 6; ++column)
      rope.cos_sin.push_back(column < 3 ? row + 16 * column : 0);
  rope.positions = {1, 2, 3, 4, 5, 7};
  rope.q = rope.k = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  return rope;
}

TEST(Mrope, EachFrequencyTakesThePositionOfItsAxis) {
  Rope rope = six();
  const Numbers first = {1, 3 + 16, 5 + 32}, second = {2, 4 + 16, 7 + 32};
  Numbers expected;
  for (const Numbers& token : {first, first, second, second})
    expected.insert(expected.end(), token.begin(), token.end());
  EXPECT_EQ(rope.q_result(), expected);
  rope.rule = "sectioned";
  EXPECT_EQ(rope.q_result(), expected) << "with sections of one, both rules are the same";
  rope.sections = {2, 1, 0};
  EXPECT_EQ(rope.q_result()[1], 1 + 16);
  EXPECT_EQ(rope.q_result()[2], 3 + 32);
}

TEST(Mrope, ThreeEqualPositionsAreText) {
  Rope rope = six();
  rope.positions = {6, 7, 6, 7, 6, 7};
  const Numbers images = rope.q_result();
  rope.rule = "none";
  rope.positions = {6, 7};
  EXPECT_EQ(rope.q_result(), images);
}

TEST(Mrope, PositionsOutsideOfTheTableAreRefused) {
  for (const std::int64_t bad : {-1, 8}) {
    Rope rope = six();
    rope.positions[3] = bad;
    Rows to;
    EXPECT_THROW(rope.run(to), std::out_of_range) << bad;
  }
}

TEST(Mrope, TokensDoNotKnowOfEachOther) {
  Rope rope = six();
  rope.q = {1, 2, 3, 4, 5, 6, -1, 3, -5, 7, -9, 11};
  Numbers rows = rope.q_truth();
  std::rotate(rope.q.begin(), rope.q.begin() + 6, rope.q.end());
  for (std::size_t axis = 0; axis < 3; ++axis)
    std::swap(rope.positions[2 * axis], rope.positions[2 * axis + 1]);
  std::rotate(rows.begin(), rows.begin() + 6, rows.end());
  EXPECT_EQ(rope.q_truth(), rows);
}

TEST(Mrope, APowerOfTwoScalesTheResult) {
  Rope rope = six();
  rope.q = {1, 2, 3, 4, 5, 6, -1, 3, -5, 7, -9, 11};
  Numbers expected = rope.q_truth();
  for (double& value : expected) value *= 4;
  for (double& value : rope.q) value *= 4;
  EXPECT_EQ(rope.q_truth(), expected);
}

TEST(Mrope, TokensOfOneCallMayComeInTwo) {
  Rope rope = six();
  for (std::size_t i = 0; i < rope.cos_sin.size(); ++i)
    if (i % 6 >= 3) rope.cos_sin[i] = static_cast<double>(i) - 20;
  rope.q = {1, 2, 3, 4, 5, 6, -1, 3, -5, 7, -9, 11};
  Numbers parts;
  for (std::size_t token = 0; token < 2; ++token) {
    Rope one = rope;
    one.tokens = 1;
    const auto begin = rope.q.begin() + static_cast<std::ptrdiff_t>(6 * token);
    one.q.assign(begin, begin + 6);
    one.k.resize(6);
    one.positions = {rope.positions[token], rope.positions[2 + token], rope.positions[4 + token]};
    const Numbers part = one.q_truth();
    parts.insert(parts.end(), part.begin(), part.end());
  }
  EXPECT_EQ(rope.q_truth(), parts);
}

TEST(Mrope, PositionZeroTurnsNothing) {
  for (const char* pairs : {"neox", "gptj"}) {
    Rope rope = six();
    rope.pairs = pairs;
    for (std::size_t i = 0; i < 3; ++i) rope.cos_sin[i] = 1;  // the row of position 0
    rope.positions.assign(6, 0);
    rope.q = {1, 2, 3, 4, 5, 6, -1, 3, -5, 7, -9, 11};
    EXPECT_EQ(rope.q_truth(), rope.q) << pairs;
  }
}

TEST(Mrope, ElementsHaveNames) {
  Rope rope = four();
  rope.gate = rope.in_place = "on";
  rope.q = {1, 2, 3, 4, 5, 6, 7, 8};
  Rows to;
  rope.run(to);
  const auto& describe = find("mrope")->describe;
  EXPECT_EQ(describe(to.problem(), "q_inout", 2), "q_inout of token 0, head 0, element 2");
  EXPECT_EQ(describe(to.problem(), "q_inout", 14), "q_inout of token 1, head 0, gate element 2");
  EXPECT_EQ(describe(to.problem(), "cos_sin", 5), "cos_sin of position 1, column 1");
}

Rope golden_rope(const GoldenCase& golden) {
  const auto number = [&](const char* name) { return golden.params.at(name).get<std::int64_t>(); };
  Rope rope;
  rope.tokens = number("T");
  rope.q_heads = number("QH");
  rope.kv_heads = number("KH");
  rope.head_dim = number("head_dim");
  rope.rotary_dim = number("rotary_dim");
  rope.q = numbers_of(golden.tensors.at("q"));
  rope.k = numbers_of(golden.tensors.at("k"));
  return rope;
}

/// The vectors hold cosines and sines of their tokens: a table by token.
void by_token(const GoldenCase& golden, bool fp32, Rope& rope) {
  rope.rule = "none";
  rope.table_layout = "duplicated";
  rope.rows = rope.tokens;
  rope.table = fp32 ? "fp32" : "bf16";
  rope.cos = numbers_of(golden.tensors.at(fp32 ? "cos_f32" : "cos"));
  rope.sin = numbers_of(golden.tensors.at(fp32 ? "sin_f32" : "sin"));
  rope.positions.resize(static_cast<std::size_t>(rope.tokens));
  for (std::size_t i = 0; i < rope.positions.size(); ++i)
    rope.positions[i] = static_cast<std::int64_t>(i);
}

/// A table by position, which the axis rule chooses from.
void by_position(const GoldenCase& golden, Rope& rope) {
  const StoredTensor& positions = golden.tensors.at("positions");
  rope.positions.resize(positions.bytes.size() / 8);
  std::memcpy(rope.positions.data(), positions.bytes.data(), positions.bytes.size());
  rope.rows = 1 + *std::max_element(rope.positions.begin(), rope.positions.end());
  rope.rule = golden.family == "mrope_interleaved" ? "interleaved" : "none";
  rope.table_layout = "packed";
  rope.table = "bf16";
  if (rope.rule != "none") rope.sections = golden.params.at("section").get<Indices>();
  TensorShape shape;
  shape.dtype = DType::bf16;
  shape.dims = {rope.rows, rope.rotary_dim};
  shape.row_elements = shape.row_stride = rope.rotary_dim;
  rope.cos_sin = numbers_of(golden_table(golden, "packed", shape));
}

TEST(Mrope, AgreesWithTheModulesOfTransformers) {
  const auto cases =
      read_golden(std::filesystem::path(FUSETUNE_TESTS_DIR) / "golden/rope.safetensors");
  int seen = 0;
  for (const GoldenCase& golden : cases) {
    if (golden.family != "rope_neox_partial" && golden.family != "mrope_interleaved") continue;
    SCOPED_TRACE(golden.name);
    ++seen;
    Rope rope = golden_rope(golden);
    by_token(golden, true, rope);
    Rows exact;
    rope.run(exact);
    for (const char* name : {"q_out", "k_out"}) {
      const Numbers theirs = numbers_of(golden.tensors.at(std::string(name) + "_f32"));
      const Truth& truth = exact.truth(name);
      ASSERT_EQ(theirs.size(), truth.value.size());
      for (std::size_t i = 0; i < theirs.size(); ++i)
        ASSERT_LE(std::fabs(theirs[i] - truth.value[i]), 0x1p-23 * truth.magnitude[i])
            << name << " " << i;
    }
    rope.product_rounding = "on";
    for (const bool positions : {false, true}) {
      if (positions)
        by_position(golden, rope);
      else
        by_token(golden, false, rope);
      Rows rounded;
      rope.run(rounded);
      for (const char* name : {"q_out", "k_out"})
        EXPECT_EQ(rounded.values(name), numbers_of(golden.tensors.at(name))) << name << positions;
    }
  }
  EXPECT_EQ(seen, 6);
}

}  // namespace
}  // namespace fusetune::reference::testing

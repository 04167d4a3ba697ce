// The reference of qk_norm_rope_cache against numbers worked out by hand. Vectors of code that is
// not ours: tests/verify/golden_test.cpp.
#include <gtest/gtest.h>

#include <cmath>

#include "front.hpp"
#include "reference/kv_cache.hpp"

namespace fusetune::reference::testing {
namespace {

TEST(QkNormRopeCache, TheNormComesBeforeTheRotation) {
  Front front;
  front.options["norm"] = "plain";
  front.options["rope"] = "neox";
  front.q = {1, 1, 1, 1};
  front.weight = {1, 2, 3, 4};
  front.table = {1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0};
  front.position = {1};  // a quarter turn: (x1, x2) becomes (-x2, x1)
  EXPECT_EQ(front.get("q_out"), (Numbers{-3, -4, 1, 2})) << "of a rotated row 1, 2, 3, 4 weights";
  front.options["rope"] = "gptj";
  EXPECT_EQ(front.get("q_out"), (Numbers{-2, 1, -4, 3}));
  front.options["norm"] = "one_plus";
  EXPECT_EQ(front.get("q_out"), (Numbers{-3, 2, -5, 4}));
}

TEST(QkNormRopeCache, OnlyTheRotaryPartTurns) {
  Front front;
  front.rotary_dim = 2;
  front.options["rope"] = "neox";
  front.table = {0, 1, 0, 1, 0, 1, 0, 1};
  EXPECT_EQ(front.get("q_out"), (Numbers{-2, 1, 3, 4}));
}

TEST(QkNormRopeCache, GatesAreNotRead) {
  Front front;
  front.options["gated"] = "on";
  front.hq = 2;
  front.q = {1, 2, 3, 4, NAN, NAN, NAN, NAN, 5, 6, 7, 8, NAN, NAN, NAN, NAN};
  EXPECT_EQ(front.get("q_out"), (Numbers{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(QkNormRopeCache, MidRoundingIsWhereItIsDeclared) {
  Front front;
  front.options["norm"] = "plain";
  front.options["rope"] = "neox";
  front.q = {1, 1, 1, 1};
  front.weight = {1, 1, 1, 1};
  front.q = {3, 0, 1, 0};  // the mean of squares is 2.5
  front.table = {1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0};
  Rows exact, rounded_first;
  front.run(exact);
  EXPECT_NEAR(exact.truth("q_out").value[0], 3 / std::sqrt(2.5), 1e-15);
  front.options["mid_rounding"] = "on";
  front.run(rounded_first);
  EXPECT_EQ(rounded_first.truth("q_out").value[0], rounded("bf16", 3 / std::sqrt(2.5)));
}

TEST(QkNormRopeCache, ATokenWithoutASlotIsGivenButNotCached) {
  Front front;
  front.tokens = 2;
  front.q = front.k = front.v = {1, 2, 3, 4, 5, 6, 7, 8};
  front.slot = {-1, 6};
  EXPECT_EQ(front.get("k_out"), front.k);
  Numbers cache(32, 99);
  for (std::size_t i = 0; i < 4; ++i) cache[6 * 4 + i] = front.v[4 + i];
  EXPECT_EQ(front.get("v_cache"), cache);
  EXPECT_EQ(front.get("k_cache"), cache);
}

TEST(QkNormRopeCache, ScalesOfTokensFitTheirLargestMagnitude) {
  Front front;
  front.options["quant"] = "per_token";
  front.v = {0, 0, 0, 0};
  front.k = {-448, 224, 7, 1};
  front.slot = {5};
  Numbers scales(8, 7), codes(32, 16);
  scales[5] = 1;
  EXPECT_EQ(front.get("k_scale"), scales);
  EXPECT_EQ(front.get("v_scale"), scales) << "1 where all is zero";
  for (std::size_t i = 0; i < 4; ++i) codes[20 + i] = front.k[i];
  EXPECT_EQ(front.get("k_codes"), codes);
  front.options["scale_floor"] = "amax_1e_8";
  EXPECT_FLOAT_EQ(static_cast<float>(front.get("v_scale")[5]), 1e-8f / 448);
  front.options["code_max"] = "fixed_240";
  EXPECT_FLOAT_EQ(static_cast<float>(front.get("k_scale")[5]), 448.0f / 240);
}

TEST(QkNormRopeCache, PagesTakeTheLargestScaleThatTheyNeeded) {
  Front front;
  front.options["quant"] = "per_page";
  front.slot = {2};
  front.scales_before = {0.25, 7};
  front.k = {-448, 224, 8, 0};  // needs 1: what came before shrinks to a quarter
  Numbers codes(32, 16);
  for (std::size_t i = 0; i < 8; ++i) codes[i] = 4;
  for (std::size_t i = 0; i < 4; ++i) codes[8 + i] = front.k[i];
  EXPECT_EQ(front.get("k_codes"), codes);
  EXPECT_EQ(front.get("k_scale"), (Numbers{1, 7}));

  front.scales_before = {2, 7};  // is enough
  codes.assign(32, 16);
  for (std::size_t i = 0; i < 4; ++i) codes[8 + i] = front.k[i] / 2;
  EXPECT_EQ(front.get("k_codes"), codes);
  EXPECT_EQ(front.get("k_scale"), (Numbers{2, 7}));

  front.slot = {0};  // begins the page anew
  EXPECT_EQ(front.get("k_scale"), (Numbers{1, 7}));
}

TEST(QkNormRopeCache, TokensOfAPageFollowEachOther) {
  Front front;
  front.options["quant"] = "per_page";
  front.tokens = 3;
  front.q = front.k = front.v = Numbers(12, 1);
  front.slot = {1, 6, 2};
  EXPECT_THROW(front.get("k_codes"), std::invalid_argument);
}

/// The formulas of the family's comments, element by element.
TEST(QkNormRopeCache, LayoutsAreTheirFormulas) {
  const std::int64_t nb = 3, bs = 16, heads = 2, d = 32, x = 8, slots = nb * bs;
  const CacheShape shape{nb, bs, heads, d, 2};
  const auto flat = [](const CachePlace& at, std::int64_t row) { return at.row * row + at.column; };
  for (std::int64_t slot = 0; slot < slots; ++slot)
    for (std::int64_t h = 0; h < heads; ++h)
      for (std::int64_t e = 0; e < d; ++e) {
        const std::int64_t blk = slot / bs, off = slot % bs, page = bs * heads * d;
        const auto at = [&](const char* layout, char part) {
          const std::string name = layout;
          const std::int64_t row = name == "flat"                              ? heads * d
                                   : name == "blocks_pair" || name == "packed" ? 2 * page
                                                                               : page;
          return flat(cache_place(layout, part, shape, slot, h, e), row);
        };
        ASSERT_EQ(at("nhd", 'k'), ((blk * bs + off) * heads + h) * d + e);
        ASSERT_EQ(at("hnd", 'v'), ((blk * heads + h) * bs + off) * d + e);
        ASSERT_EQ(at("flat", 'v'), slot * heads * d + h * d + e);
        ASSERT_EQ(at("shuffle", 'k'),
                  (blk * heads + h) * d * bs + e / x * bs * x + off * x + e % x);
        ASSERT_EQ(at("shuffle", 'v'),
                  (blk * heads + h) * d * bs + off / x * d * x + e * x + off % x);
        ASSERT_EQ(at("paged", 'k'), at("shuffle", 'k'));
        ASSERT_EQ(at("paged", 'v'), (blk * heads + h) * d * bs + e * bs + off);
        const std::int64_t pair = blk * (2 * bs * heads * d) + off * heads * d + h * d + e;
        ASSERT_EQ(at("blocks_pair", 'k'), pair);
        ASSERT_EQ(at("blocks_pair", 'v'), pair + bs * heads * d);
        ASSERT_EQ(at("kv_pair", 'k'), at("nhd", 'k'));
        ASSERT_EQ(at("kv_pair", 'v'), nb * page + at("nhd", 'v'));
        const std::int64_t packed = blk * bs * heads * 2 * d + h * bs * 2 * d + off * 2 * d + e;
        ASSERT_EQ(at("packed", 'k'), packed);
        ASSERT_EQ(at("packed", 'v'), packed + d);
      }
}

TEST(QkNormRopeCache, QAndKHaveWeightsOfTheirOwn) {
  Front front;
  front.options["norm"] = "plain";
  front.q = front.k = {1, 1, 1, 1};
  front.weight = {1, 2, 3, 4};
  front.k_weight = {5, 6, 7, 8};
  EXPECT_EQ(front.get("q_out"), (Numbers{1, 2, 3, 4}));
  EXPECT_EQ(front.get("k_out"), (Numbers{5, 6, 7, 8}));
  EXPECT_EQ(front.get("k_cache")[0], 5);
}

TEST(QkNormRopeCache, VIsGivenAsItIs) {
  Front front;
  front.options["v_out"] = "on";
  front.tokens = 2;
  front.q = front.k = {1, 2, 3, 4, 5, 6, 7, 8};
  front.hv = 2;
  front.v = {1, -2, 3, -4, 5, -6, 7, -8, 9, 10, 11, 12, 13, 14, 15, 16};
  front.slot = {-1, 3};
  EXPECT_EQ(front.get("v_out"), front.v);
}

TEST(QkNormRopeCache, ScalesByHeadHaveARowPerHeadOfKAndOfV) {
  Front front;
  front.options["quant"] = "per_token";
  front.options["scale_layout"] = "by_head";
  front.tokens = 2;
  front.q = {1, 2, 3, 4, 5, 6, 7, 8};
  front.hk = 2;
  front.k = {448, 0, 0, 0, 896, 0, 0, 0, 224, 0, 0, 0, 112, 56, 0, 0};
  front.v = {28, 0, 0, 14, 1792, 0, 0, 0};
  front.slot = {5, 2};
  Numbers k_scale(16, 7), v_scale(8, 7);
  k_scale[5] = 1, k_scale[8 + 5] = 2;       // the heads of the first token
  k_scale[2] = 0.5, k_scale[8 + 2] = 0.25;  // of the second
  v_scale[5] = 0.0625, v_scale[2] = 4;
  EXPECT_EQ(front.get("k_scale"), k_scale);
  EXPECT_EQ(front.get("v_scale"), v_scale);
  const Numbers k_codes = front.get("k_codes"), v_codes = front.get("v_codes");
  EXPECT_EQ(k_codes[(5 * 2 + 1) * 4], 448);  // slot 5, head 1
  EXPECT_EQ(k_codes[(2 * 2 + 1) * 4 + 1], 224);
  EXPECT_EQ(v_codes[5 * 4 + 3], 224);
  EXPECT_EQ(v_codes[2 * 4], 448);
}

TEST(QkNormRopeCache, CachesOfBothHoldVBehindItsKOrBehindAllK) {
  Front front;
  front.slot = {5};  // the second of the second page
  Numbers packed(64, 99), pair(64, 99);
  for (std::size_t i = 0; i < 4; ++i) {
    packed[40 + i] = front.k[i];
    packed[44 + i] = front.v[i];
    pair[20 + i] = front.k[i];
    pair[32 + 20 + i] = front.v[i];
  }
  front.options["cache"] = "packed";
  EXPECT_EQ(front.get("kv_cache"), packed);
  front.options["cache"] = "kv_pair";
  EXPECT_EQ(front.get("kv_cache"), pair);
}

std::vector<std::size_t> copied(const Front& front, const char* name) {
  Rows rows;
  front.run(rows);
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < rows.truth(name).copied.size(); ++i)
    if (rows.truth(name).copied[i]) places.push_back(i);
  return places;
}

TEST(QkNormRopeCache, WhatIsOnlyMovedIsComparedByItsBits) {
  using Places = std::vector<std::size_t>;
  Front front;
  front.slot = {5};
  front.options["cache"] = "packed";
  front.k = {-0.0, NAN, 3, 4};  // a NaN of k may lose its payload on the way
  front.v = {5, NAN, 7, 8};
  EXPECT_EQ(copied(front, "kv_cache"), (Places{40, 42, 43, 44, 45, 46, 47}));
  EXPECT_EQ(copied(front, "k_out"), (Places{0, 2, 3}));
  EXPECT_EQ(copied(front, "q_out"), (Places{0, 1, 2, 3}));
  EXPECT_TRUE(std::signbit(front.get("kv_cache")[40]));
  front.options["rope"] = "neox";
  front.rotary_dim = 2;
  front.table = {0, 1, 0, 1, 0, 1, 0, 1};
  EXPECT_EQ(copied(front, "kv_cache"), (Places{42, 43, 44, 45, 46, 47}));
  EXPECT_EQ(copied(front, "q_out"), (Places{2, 3}));
  front.options["norm"] = "plain";
  front.weight = {1, 1, 1, 1};
  EXPECT_EQ(copied(front, "kv_cache"), (Places{44, 45, 46, 47}));
  EXPECT_EQ(copied(front, "q_out"), Places{});
}

}  // namespace
}  // namespace fusetune::reference::testing

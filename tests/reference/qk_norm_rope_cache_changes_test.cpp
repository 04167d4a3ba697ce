// The reference of qk_norm_rope_cache against itself, under changes that must not matter or whose
// effect is known.
#include <gtest/gtest.h>

#include <cmath>

#include "front.hpp"

namespace fusetune::reference::testing {
namespace {

/// Six tokens with two heads of each, slots in three pages, one token without.
Front busy() {
  Front front;
  front.tokens = 6;
  front.hq = front.hk = front.hv = 2;
  front.num_blocks = 3;
  front.positions = 6;
  front.slot = {9, 2, -1, 3, 0, 6};
  front.position = {5, 1, 0, 2, 3, 4};
  front.options["rope"] = "neox";
  front.options["v_out"] = "on";
  front.table = {1, 1, 0, 0};  // at position 0
  for (int i = 4; i < 24; ++i) front.table.push_back(std::ldexp((5 * i) % 17 - 8, -3));
  front.q = front.k = front.v = {};
  for (int i = 0; i < 48; ++i) {
    front.q.push_back(std::ldexp((7 * i) % 31 - 15, -2));
    front.k.push_back(std::ldexp((11 * i) % 29 - 14, -2));
    front.v.push_back(std::ldexp((13 * i) % 23 - 11, -2));
  }
  return front;
}

/// The tokens from `first` to `end` alone.
Front part(const Front& whole, std::int64_t first, std::int64_t end) {
  const auto cut = [&](auto values) {
    const auto width = std::ssize(values) / whole.tokens;
    return decltype(values)(values.begin() + first * width, values.begin() + end * width);
  };
  Front front = whole;
  front.tokens = end - first;
  front.q = cut(whole.q), front.k = cut(whole.k), front.v = cut(whole.v);
  front.slot = cut(whole.slot), front.position = cut(whole.position);
  return front;
}

Numbers joined(Numbers first, const Numbers& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

TEST(QkNormRopeCacheChanges, PermutedTokensWithTheirSlotsAndPositionsMakeTheSameCache) {
  for (const char* quant : {"none", "per_token"}) {
    Front front = busy();
    front.options["quant"] = quant;
    const Front first = part(front, 0, 2), last = part(front, 2, 6);
    Front turned = front;
    turned.q = joined(last.q, first.q);
    turned.k = joined(last.k, first.k);
    turned.v = joined(last.v, first.v);
    turned.slot = last.slot, turned.position = last.position;
    for (std::size_t i = 0; i < 2; ++i) {
      turned.slot.push_back(first.slot[i]);
      turned.position.push_back(first.position[i]);
    }
    const bool codes = front.option("quant") == "per_token";
    for (const char* name : {codes ? "k_codes" : "k_cache", codes ? "v_codes" : "v_cache"})
      EXPECT_EQ(turned.get(name), front.get(name)) << name;
    EXPECT_EQ(turned.get("q_out"), joined(last.get("q_out"), first.get("q_out")));
  }
}

TEST(QkNormRopeCacheChanges, TwoCallsOnOneCacheAreOneCall) {
  for (const char* quant : {"none", "per_token", "per_page"}) {
    SCOPED_TRACE(quant);
    Front front = busy();
    front.options["quant"] = quant;
    if (front.option("quant") == "per_page") {
      // The second call goes on with a page whose scale the first one has set.
      front.slot = {-1, 8, 9, 10, 4, 5};
      for (std::size_t i = 16; i < 24; ++i) front.k[i] *= 8, front.v[i] *= 8;
    }
    const bool codes = front.option("quant") != "none";
    const char* cache = codes ? "_codes" : "_cache";
    Rows whole, calls, after;
    front.run(whole);
    part(front, 0, 3).run(calls);
    Problem& second = after.problem();
    const Front last = part(front, 3, 6);
    last.run(after);
    for (const std::string letter : {"k", "v"}) {
      // What the first call left is what the second one finds.
      for (const std::string& name : {letter + cache, letter + "_scale"})
        if (second.has(name.c_str()))
          write(second.tensor(name), read(calls.problem().tensor(name)));
    }
    after.compute("qk_norm_rope_cache");
    for (const std::string letter : {"k", "v"})
      for (const std::string& name : {letter + cache, letter + "_scale"})
        if (second.has(name.c_str())) {
          EXPECT_EQ(after.values(name), whole.values(name)) << name;
        }
    for (const char* name : {"q_out", "k_out", "v_out"})
      EXPECT_EQ(joined(calls.values(name), after.values(name)), whole.values(name)) << name;
  }
}

TEST(QkNormRopeCacheChanges, APowerOfTwoScalesWhatIsNotNormedAndNothingElse) {
  Front front = busy();
  const auto eightfold = [](Numbers values) {
    for (double& value : values) value *= 8;
    return values;
  };
  Front scaled = front;
  scaled.q = eightfold(front.q), scaled.k = eightfold(front.k);
  EXPECT_EQ(scaled.get("q_out"), eightfold(front.get("q_out")));
  EXPECT_EQ(scaled.get("k_out"), eightfold(front.get("k_out")));
  EXPECT_EQ(scaled.get("v_cache"), front.get("v_cache"));
  for (Front* normed : {&front, &scaled}) {
    normed->options["norm"] = "one_plus";
    normed->weight = {0.5, -0.25, 1, 2};
  }
  for (const char* name : {"q_out", "k_out", "k_cache", "v_cache"})
    EXPECT_EQ(scaled.get(name), front.get(name)) << name << ", with no epsilon";
}

TEST(QkNormRopeCacheChanges, PositionZeroTurnsNothing) {
  for (const char* style : {"neox", "gptj"}) {
    Front front = busy();
    front.options["rope"] = style;
    front.position.assign(6, 0);
    EXPECT_EQ(front.get("q_out"), front.q) << style;
    EXPECT_EQ(front.get("k_out"), front.k) << style;
  }
}

TEST(QkNormRopeCacheChanges, DequantisedCodesQuantiseToThemselves) {
  for (const char* code : {"e4m3fn", "e4m3fnuz"}) {
    SCOPED_TRACE(code);
    Front front = busy();
    front.code = code;
    front.options["rope"] = "none";
    front.options["quant"] = "per_tensor";  // scales of 0.5
    for (Numbers* rows : {&front.k, &front.v})
      for (double& value : *rows) value *= 13;
    const Numbers v_codes = front.get("v_codes"), k_codes = front.get("k_codes");
    Front again = front;
    for (std::int64_t token = 0; token < 6; ++token) {
      const auto slot = front.slot[static_cast<std::size_t>(token)];
      for (std::int64_t i = 0; i < 8 && slot >= 0; ++i) {
        const auto to = static_cast<std::size_t>(8 * token + i);
        again.k[to] = k_codes[static_cast<std::size_t>(8 * slot + i)] / 2;
        again.v[to] = v_codes[static_cast<std::size_t>(8 * slot + i)] / 2;
      }
    }
    EXPECT_NE(again.k, front.k) << "something was rounded";
    EXPECT_EQ(again.get("k_codes"), k_codes);
    EXPECT_EQ(again.get("v_codes"), v_codes);
  }
}

}  // namespace
}  // namespace fusetune::reference::testing

// The reference of qk_norm_rope_cache against numbers worked out by hand, against vectors of code
// that is not ours, and against itself under changes that must not matter.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <deque>

#include "harness/verify/golden.hpp"
#include "reference/kv_cache.hpp"
#include "rows.hpp"

namespace fusetune::reference::testing {
namespace {

using Numbers = std::vector<double>;

/// One head of q and of k unless a test says more; nothing is done to them unless it says so.
struct Front {
  std::int64_t tokens = 1, hq = 1, hk = 1, hv = 1, head_dim = 4, rotary_dim = 4;
  std::int64_t page_size = 4, num_blocks = 2, positions = 4;
  std::map<std::string, std::string> options = {{"norm", "none"},
                                                {"mid_rounding", "off"},
                                                {"rope", "none"},
                                                {"mrope", "none"},
                                                {"table_layout", "packed"},
                                                {"gated", "off"},
                                                {"cache", "nhd"},
                                                {"k_out", "on"},
                                                {"v_out", "off"},
                                                {"quant", "none"},
                                                {"quant_source", "rounded"},
                                                {"quant_op", "divide"},
                                                {"scale_floor", "one"},
                                                {"code_max", "of_type"},
                                                {"scale_layout", "paged"}};
  std::string code = "e4m3fn";
  Numbers q = {1, 2, 3, 4}, k = {1, 2, 3, 4}, v = {5, 6, 7, 8}, weight, table;
  std::vector<std::int64_t> position = {0}, slot = {0};
  Numbers codes_before, scales_before;

  const std::string& option(const char* name) const { return options.at(name); }

  void index(Problem& p, const char* name, std::vector<std::int64_t> dims,
             const std::vector<std::int64_t>& values) const {
    const std::int64_t stride = dims.back();
    p.tensors[name] = {reinterpret_cast<std::byte*>(const_cast<std::int64_t*>(values.data())), 8,
                       "i64", std::move(dims), stride};
  }

  void run(Rows& rows) const {
    Problem& p = rows.problem();
    p.symbols = {{"tokens", tokens},
                 {"hq", hq},
                 {"hk", hk},
                 {"hv", hv},
                 {"head_dim", head_dim},
                 {"rotary_dim", rotary_dim},
                 {"page_size", page_size},
                 {"num_blocks", num_blocks}};
    p.scalars = {{"eps", 0}};
    p.options = options;
    const bool gated = option("gated") == "on";
    rows.input(gated ? "q_gated" : "q", "bf16", {tokens, hq, gated ? 2 * head_dim : head_dim}, q);
    rows.input("k", "bf16", {tokens, hk, head_dim}, k);
    rows.output("q_out", "bf16", {tokens, hq, head_dim});
    rows.output("k_out", "bf16", {tokens, hk, head_dim});
    if (option("norm") != "none") {
      rows.input("q_weight", "bf16", {head_dim}, weight);
      rows.input("k_weight", "bf16", {head_dim}, weight);
    }
    if (option("rope") != "none") {
      rows.input("cos_sin", "fp32", {positions, rotary_dim}, table);
      index(p, "positions", {1, tokens}, position);
    }
    if (option("cache") != "none") add_cache(rows);
    rows.compute("qk_norm_rope_cache");
  }

  void add_cache(Rows& rows) const {
    Problem& p = rows.problem();
    const std::string& quant = option("quant");
    rows.input("v", "bf16", {tokens, hv, head_dim}, v);
    index(p, quant == "per_page" ? "run_slots" : "slots", {tokens}, slot);
    for (const std::string letter : {"k", "v"}) {
      const std::int64_t heads = letter == "k" ? hk : hv;
      const std::vector<std::int64_t> dims = {num_blocks, page_size, heads, head_dim};
      const auto count = static_cast<std::size_t>(num_blocks * page_size * heads * head_dim);
      if (quant == "none") {
        rows.input(letter + "_cache", "bf16", dims, Numbers(count, 99));
        continue;
      }
      rows.input(letter + "_codes", code, dims,
                 codes_before.empty() ? Numbers(count, 16) : codes_before);
      if (quant == "per_tensor") rows.input(letter + "_tensor_scale", "fp32", {1}, {0.5});
      if (quant != "per_token" && quant != "per_page") continue;
      const std::int64_t scales = heads * (quant == "per_token" ? page_size : 1);
      rows.input(letter + "_scale", "fp32", {num_blocks, scales},
                 scales_before.empty() ? Numbers(static_cast<std::size_t>(num_blocks * scales), 7)
                                       : scales_before);
    }
  }

  Numbers get(const char* name) const {
    Rows rows;
    run(rows);
    return rows.values(name);
  }
};

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

/// The caches of a golden case, which begin filled with 0x5a or 90.
struct GoldenCache {
  const GoldenCase& golden;
  const GoldenCase& inputs;
  std::deque<std::vector<std::byte>> storage;
  Problem problem;

  void add(const std::string& name, const StoredTensor& stored, const std::string& dtype,
           std::vector<std::int64_t> dims) {
    storage.emplace_back(stored.bytes);
    std::int64_t elements = 1, width = 1;
    for (const std::int64_t dim : dims) elements *= dim;
    for (std::size_t i = 1; i < dims.size(); ++i) width *= dims[i];
    problem.tensors[name] = {storage.back().data(), std::ssize(stored.bytes) / elements, dtype,
                             std::move(dims), width};
  }
  void fill(const std::string& name, const std::string& dtype) {
    const Tensor& tensor = problem.tensors.at(name);
    if (tensor.element_bytes == 1)
      std::fill(storage.back().begin(), storage.back().end(), std::byte{0x5a});
    else
      write(tensor,
            Matrix::Constant(tensor.dims[0], tensor.row_stride, dtype == "fp32" ? -1.0 : 90.0));
  }
};

TEST(QkNormRopeCache, CachesOfGoldenCases) {
  const auto cases =
      read_golden(std::filesystem::path(FUSETUNE_TESTS_DIR) / "golden/kv.safetensors");
  std::map<std::string, const GoldenCase*> by_name;
  for (const GoldenCase& one : cases) by_name[one.name] = &one;
  const std::map<std::string, std::string> layouts = {
      {"NHD", "nhd"}, {"HND", "hnd"}, {"SHUF5", "shuffle"}, {"PAGED_X", "paged"}};
  int compared = 0;
  for (const GoldenCase& one : cases) {
    if (one.family != "kv_cache_write") continue;
    const auto number = [&](const char* name) { return one.params.at(name).get<std::int64_t>(); };
    GoldenCache cache{one, *by_name.at(one.params.at("inputs").get<std::string>()), {}, {}};
    Problem& p = cache.problem;
    Front front;
    p.options = front.options;
    p.scalars = {{"eps", 0}};
    p.options["cache"] = layouts.at(one.params.at("layout").get<std::string>());
    const std::int64_t tokens = number("T"), heads = number("H"), d = number("D");
    const std::int64_t blocks = number("num_blocks"), page = number("block_size");
    p.symbols = {
        {"tokens", tokens}, {"hq", 0},         {"hk", heads},       {"hv", heads},
        {"head_dim", d},    {"rotary_dim", d}, {"page_size", page}, {"num_blocks", blocks}};
    const std::string type = one.params.at("dtype").get<std::string>();
    const bool fp8 = type != "bfloat16";
    const bool per_token = one.params.at("scale_mode") == "token";
    p.options["quant"] = !fp8 ? "none" : per_token ? "per_token" : "per_tensor";
    const std::string dtype = fp8 ? type.substr(std::strlen("float8_")) : "bf16";
    cache.add("k", cache.inputs.tensors.at("k"), "bf16", {tokens, heads, d});
    cache.add("v", cache.inputs.tensors.at("v"), "bf16", {tokens, heads, d});
    cache.add("slots", cache.inputs.tensors.at("slots"), "i64", {tokens});
    p.tensors["slots"].row_stride = tokens;
    std::map<std::string, const StoredTensor*> expected;
    for (const std::string letter : {"k", "v"}) {
      const std::string name = letter + (fp8 ? "_codes" : "_cache");
      expected[name] = &one.tensors.at(letter + "_cache");
      cache.add(name, *expected[name], dtype, {blocks, page, heads, d});
      cache.fill(name, dtype);
      if (per_token) {
        expected[letter + "_scale"] = &one.tensors.at(letter + "_scales");
        cache.add(letter + "_scale", *expected[letter + "_scale"], "fp32", {blocks, heads * page});
        cache.fill(letter + "_scale", "fp32");
      } else if (fp8) {
        StoredTensor scale{"F32", {1}, std::vector<std::byte>(4)};
        const auto value = one.params.at(letter + "_scale").get<float>();
        std::memcpy(scale.bytes.data(), &value, 4);
        cache.add(letter + "_tensor_scale", scale, "fp32", {1});
      }
    }
    find("qk_norm_rope_cache")->compute(p);
    for (const auto& [name, stored] : expected) {
      const Tensor& tensor = p.tensor(name);
      EXPECT_EQ(std::memcmp(tensor.data, stored->bytes.data(), stored->bytes.size()), 0)
          << one.name << " " << name;
      ++compared;
    }
  }
  EXPECT_GE(compared, 80);
}

}  // namespace
}  // namespace fusetune::reference::testing

#pragma once
// Problems of qk_norm_rope_cache: the front of attention, with options to turn on.

#include <map>
#include <string>
#include <vector>

#include "rows.hpp"

namespace fusetune::reference::testing {

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
  Numbers k_weight;  ///< as that of q where it is empty
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
      rows.input("k_weight", "bf16", {head_dim}, k_weight.empty() ? weight : k_weight);
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
    if (option("v_out") == "on") rows.output("v_out", "bf16", {tokens, hv, head_dim});
    if (option("cache") == "packed" || option("cache") == "kv_pair") {
      const bool pair = option("cache") == "kv_pair";
      const auto count = static_cast<std::size_t>(2 * num_blocks * page_size * hk * head_dim);
      rows.input("kv_cache", "bf16",
                 {pair ? 2 * num_blocks : num_blocks, page_size, pair ? hk : 2 * hk, head_dim},
                 Numbers(count, 99));
      return;
    }
    for (const std::string letter : {"k", "v"}) add_cache_of(rows, letter);
  }

  void add_cache_of(Rows& rows, const std::string& letter) const {
    const std::string& quant = option("quant");
    const std::int64_t heads = letter == "k" ? hk : hv;
    const std::vector<std::int64_t> dims = {num_blocks, page_size, heads, head_dim};
    const auto count = static_cast<std::size_t>(num_blocks * page_size * heads * head_dim);
    if (quant == "none") return rows.input(letter + "_cache", "bf16", dims, Numbers(count, 99));
    rows.input(letter + "_codes", code, dims,
               codes_before.empty() ? Numbers(count, 16) : codes_before);
    if (quant == "per_tensor") rows.input(letter + "_tensor_scale", "fp32", {1}, {0.5});
    if (quant != "per_token" && quant != "per_page") return;
    const std::int64_t of_block = quant == "per_token" ? page_size : 1;
    const bool by_head = option("scale_layout") == "by_head";
    const auto scales = static_cast<std::size_t>(num_blocks * heads * of_block);
    rows.input(letter + "_scale", "fp32",
               {by_head ? heads : num_blocks, (by_head ? num_blocks : heads) * of_block},
               scales_before.empty() ? Numbers(scales, 7) : scales_before);
  }

  Numbers get(const char* name) const {
    Rows rows;
    run(rows);
    return rows.values(name);
  }
};

}  // namespace fusetune::reference::testing

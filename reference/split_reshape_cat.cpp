// The reference of split_reshape_cat, in whole-matrix operations: a grouped row is a matrix with
// one column per k head, whose row blocks are the outputs. Elements are moved as integers of their
// size, so every bit pattern survives.

#include <Eigen/Core>
#include <stdexcept>

#include "reference/families.hpp"

namespace fusetune::reference {

namespace {

template <class Element>
using Matrix = Eigen::Matrix<Element, Eigen::Dynamic, Eigen::Dynamic>;
template <class Element>
using View = Eigen::Map<Matrix<Element>>;
template <class Element>
using ConstView = Eigen::Map<const Matrix<Element>>;

struct Sizes {
  std::int64_t tokens, nk, nv, hk, hv;

  explicit Sizes(const Problem& p)
      : tokens(p.symbol("tokens")),
        nk(p.symbol("nk")),
        nv(p.symbol("nv")),
        hk(p.symbol("hk")),
        hv(p.symbol("hv")) {}
  std::int64_t ratio() const { return nv / nk; }
  std::int64_t qkvz_width() const { return 2 * nk * hk + 2 * nv * hv; }
};

bool is_merged(const Problem& p) { return p.option("layout").rfind("merged", 0) == 0; }
bool is_grouped(const Problem& p) {
  return p.option("layout") == "interleaved" || p.option("layout") == "merged_interleaved";
}

template <class Element>
Element* row_of(const Tensor& tensor, std::int64_t row) {
  return reinterpret_cast<Element*>(tensor.data) + row * tensor.row_stride;
}

/// One row of q, k, v, z from the projection's row.
template <class Element>
void split_qkvz_row(const Sizes& s, bool grouped, const Element* in, Element* qkv, Element* z) {
  if (!grouped) {
    const std::int64_t qkv_width = s.qkvz_width() - s.nv * s.hv;
    Eigen::Map<const Matrix<Element>> row(in, s.qkvz_width(), 1);
    View<Element>(qkv, qkv_width, 1) = row.topRows(qkv_width);
    View<Element>(z, s.nv * s.hv, 1) = row.bottomRows(s.nv * s.hv);
    return;
  }
  const std::int64_t group_v = s.ratio() * s.hv;
  const ConstView<Element> groups(in, 2 * s.hk + 2 * group_v, s.nk);
  View<Element>(qkv, s.hk, s.nk) = groups.topRows(s.hk);
  View<Element>(qkv + s.nk * s.hk, s.hk, s.nk) = groups.middleRows(s.hk, s.hk);
  View<Element>(qkv + 2 * s.nk * s.hk, group_v, s.nk) = groups.middleRows(2 * s.hk, group_v);
  View<Element>(z, group_v, s.nk) = groups.bottomRows(group_v);
}

/// One row of b and a. Ungrouped rows are one group of all heads.
template <class Element>
void split_ba_row(const Sizes& s, bool grouped, const Element* in, Element* b, Element* a) {
  const std::int64_t run = grouped ? s.ratio() : s.nv;
  const ConstView<Element> groups(in, 2 * run, s.nv / run);
  View<Element>(b, run, s.nv / run) = groups.topRows(run);
  View<Element>(a, run, s.nv / run) = groups.bottomRows(run);
}

template <class Element>
void split_all_qkvz(const Problem& p, const Sizes& s) {
  const Tensor& in = p.tensor(is_merged(p) ? "qkvzba" : "qkvz");
  for (std::int64_t t = 0; t < s.tokens; ++t)
    split_qkvz_row<Element>(s, is_grouped(p), row_of<Element>(in, t),
                            row_of<Element>(p.tensor("mixed_qkv"), t),
                            row_of<Element>(p.tensor("z"), t));
  if (!p.has("core_attn_out")) return;
  const std::int64_t kept = p.symbol("num_actual_tokens");
  View<Element>(row_of<Element>(p.tensor("core_attn_out"), 0), s.nv * s.hv, s.tokens)
      .rightCols(s.tokens - kept)
      .setZero();
}

template <class Element>
void split_all_ba(const Problem& p, const Sizes& s) {
  const Tensor& in = p.tensor(is_merged(p) ? "qkvzba" : "ba");
  const std::int64_t offset = is_merged(p) ? s.qkvz_width() : 0;
  for (std::int64_t t = 0; t < s.tokens; ++t)
    split_ba_row<Element>(s, is_grouped(p), row_of<Element>(in, t) + offset,
                          row_of<Element>(p.tensor("b"), t), row_of<Element>(p.tensor("a"), t));
}

void compute(const Problem& p) {
  const Sizes s(p);
  const auto unsupported = [] {
    throw std::invalid_argument("split_reshape_cat moves elements of 2 or 4 bytes");
  };
  switch (p.tensor("z").element_bytes) {
    case 2:
      split_all_qkvz<std::uint16_t>(p, s);
      break;
    case 4:
      split_all_qkvz<std::uint32_t>(p, s);
      break;
    default:
      unsupported();
  }
  switch (p.tensor("b").element_bytes) {
    case 2:
      split_all_ba<std::uint16_t>(p, s);
      break;
    case 4:
      split_all_ba<std::uint32_t>(p, s);
      break;
    default:
      unsupported();
  }
}

std::string word(const char* part, std::int64_t head, std::int64_t element, std::int64_t token) {
  return std::string(part) + " of head " + std::to_string(head) + ", element " +
         std::to_string(element) + ", token " + std::to_string(token);
}

std::string gate_word(const char* part, std::int64_t head, std::int64_t token) {
  return std::string(part) + " of head " + std::to_string(head) + ", token " +
         std::to_string(token);
}

/// Column of [q | k | v | z] with `heads_k` k heads and `heads_v` v heads; `first_k` and `first_v`
/// number them.
std::string qkvz_word(const Sizes& s, std::int64_t column, std::int64_t heads_k,
                      std::int64_t heads_v, std::int64_t first_k, std::int64_t first_v,
                      std::int64_t token) {
  const std::int64_t q = heads_k * s.hk;
  const std::int64_t v = heads_v * s.hv;
  if (column < q) return word("q", first_k + column / s.hk, column % s.hk, token);
  column -= q;
  if (column < q) return word("k", first_k + column / s.hk, column % s.hk, token);
  column -= q;
  if (column < v) return word("v", first_v + column / s.hv, column % s.hv, token);
  column -= v;
  return word("z", first_v + column / s.hv, column % s.hv, token);
}

std::string input_word(const Problem& p, const Sizes& s, std::int64_t column, std::int64_t token) {
  if (!is_grouped(p)) return qkvz_word(s, column, s.nk, s.nv, 0, 0, token);
  const std::int64_t group_width = s.qkvz_width() / s.nk;
  const std::int64_t group = column / group_width;
  return qkvz_word(s, column % group_width, 1, s.ratio(), group, group * s.ratio(), token);
}

std::string ba_word(const Problem& p, const Sizes& s, std::int64_t column, std::int64_t token) {
  const std::int64_t run = is_grouped(p) ? s.ratio() : s.nv;
  const std::int64_t in_group = column % (2 * run);
  return gate_word(in_group < run ? "b" : "a", column / (2 * run) * run + in_group % run, token);
}

std::string describe(const Problem& p, const std::string& name, std::int64_t index) {
  const Sizes s(p);
  std::int64_t width = 1;
  const Tensor& tensor = p.tensor(name);
  for (std::size_t d = 1; d < tensor.dims.size(); ++d) width *= tensor.dims[d];
  const std::int64_t token = index / width;
  const std::int64_t column = index % width;
  if (name == "qkvz") return input_word(p, s, column, token);
  if (name == "ba") return ba_word(p, s, column, token);
  if (name == "qkvzba")
    return column < s.qkvz_width() ? input_word(p, s, column, token)
                                   : ba_word(p, s, column - s.qkvz_width(), token);
  if (name == "mixed_qkv") return qkvz_word(s, column, s.nk, s.nv, 0, 0, token);
  if (name == "b" || name == "a") return gate_word(name.c_str(), column, token);
  return word(name.c_str(), column / s.hv, column % s.hv, token);
}

}  // namespace

Reference split_reshape_cat() { return {compute, describe}; }

}  // namespace fusetune::reference

// The reference of qk_norm_rope_cache: heads one after the other as matrices of all tokens, then
// the cache slot by slot. Rounding happens where the options declare it and nowhere else.

#include "reference/byte_rows.hpp"
#include "reference/families.hpp"
#include "reference/kv_cache.hpp"
#include "reference/rope.hpp"

namespace fusetune::reference {

namespace {

/// The weight as a factor per column. Its terms are 1 and w.
Terms factor_of(const Problem& p, const std::string& name) {
  const Matrix w = read(p.tensor(name)).transpose();
  if (p.option("norm") == "one_plus") return {1 + w, 1 + w.abs(), {}};
  return {w, w.abs(), {}};
}

/// One head of all tokens, normed.
Terms norm(const Problem& p, const Matrix& x, const std::string& weight, double error) {
  const Matrix none = Matrix::Zero(x.rows(), x.cols());
  if (p.option("norm") == "none") return {x, none, none};
  const double eps = static_cast<float>(p.scalar("eps"));
  const Terms factor = factor_of(p, weight);
  const Eigen::ArrayXd scale = (x.square().rowwise().mean() + eps).sqrt().inverse();
  const Matrix normed = x.colwise() * scale;
  const Terms exact{normed.rowwise() * factor.value.row(0),
                    normed.abs().rowwise() * factor.magnitude.row(0), none};
  if (p.option("mid_rounding") == "off") return exact;
  return rounded_terms(error, p.tensor("k").dtype, exact);
}

/// What a head becomes before its last rounding.
Terms norm_and_rotate(const Problem& p, const Matrix& x, const std::string& weight,
                      const Angles* angles, double error) {
  Terms terms = norm(p, x, weight, error);
  if (angles == nullptr) return terms;
  const Rotation rotation{p.option("rope") == "neox", ""};
  const Matrix value = rotate(terms.value, *angles, rotation).value;
  // Without a norm the magnitudes are those of the products alone.
  const Matrix of_terms = p.option("norm") == "none" ? terms.value : terms.magnitude;
  Matrix magnitude = rotate(of_terms, *angles, rotation).magnitude;
  const auto rest = value.cols() - 2 * angles->cos.cols();
  magnitude.rightCols(rest) = terms.magnitude.rightCols(rest);
  Terms rotated = sums(value, magnitude);
  rotated.steps.rightCols(rest) = terms.steps.rightCols(rest);
  return rotated;
}

Angles angles_of(const Problem& p) {
  const std::int64_t half = p.symbol("rotary_dim") / 2;
  const std::string& rule = p.option("mrope");
  std::vector<std::int64_t> sections;
  if (rule != "none")
    sections = {p.symbol("mrope_time"), p.symbol("mrope_height"), p.symbol("mrope_width")};
  return read_angles(p, read_positions(p.tensor("positions")), axes_of(rule, sections, half));
}

/// The elements of heads that are the input's own: those that neither norm nor rotation changes.
/// They pass through fp32, where a NaN stays one but may lose its payload.
Mask copied_of(const Problem& p, const Matrix& heads) {
  const std::int64_t d = p.symbol("head_dim");
  Mask copied = Mask::Constant(heads.rows(), heads.cols(), false);
  if (p.option("norm") != "none") return copied;
  const std::int64_t first = p.option("rope") == "none" ? 0 : p.symbol("rotary_dim");
  for (std::int64_t column = 0; column < heads.cols(); ++column)
    if (column % d >= first) copied.col(column) = !heads.col(column).isNaN();
  return copied;
}

void give(const Problem& p, const char* name, const Terms& terms) {
  if (!p.has(name)) return;
  write(p.tensor(name), terms.value);
  state(p.truth(name), terms.value, terms.magnitude);
  state_copied(p.truth(name), copied_of(p, terms.value));
}

void compute(const Problem& p) {
  const std::int64_t d = p.symbol("head_dim");
  const double error = fp32_error(d);
  const bool rotates = p.option("rope") != "none";
  const Angles angles = rotates ? angles_of(p) : Angles();
  const auto run = [&](const Matrix& x, const std::string& weight) {
    return norm_and_rotate(p, x, weight, rotates ? &angles : nullptr, error);
  };
  const bool gated = p.option("gated") == "on";
  const Matrix q = p.symbol("hq") > 0 ? read(p.tensor(gated ? "q_gated" : "q")) : Matrix();
  const Matrix k = read(p.tensor("k"));
  const std::int64_t q_step = gated ? 2 * d : d;
  const Matrix q_shape = Matrix::Zero(q.rows(), p.symbol("hq") * d);
  Terms q_out{q_shape, q_shape, q_shape};
  for (std::int64_t head = 0; head < p.symbol("hq"); ++head)
    q_out.set(head * d, run(q.middleCols(head * q_step, d), "q_weight"));
  Terms k_out{k, k, k};
  for (std::int64_t head = 0; head < p.symbol("hk"); ++head)
    k_out.set(head * d, run(k.middleCols(head * d, d), "k_weight"));
  const bool has_v = p.has("v");
  const Matrix v = has_v ? read(p.tensor("v")) : Matrix();
  const Bytes v_bytes = has_v ? Bytes(byte_rows(p.tensor("v"))) : Bytes();
  // In place, outputs share memory with inputs: all of these are read by now.
  give(p, "q_out", q_out);
  give(p, "k_out", k_out);
  if (p.has("v_out")) byte_rows(p.tensor("v_out")) = v_bytes;
  if (p.option("cache") == "none") return;
  if (p.option("quant") != "none" && p.option("quant_source") == "rounded")
    k_out = rounded_terms(error, p.tensor("k").dtype, k_out);
  KvCache cache(p);
  cache.write(KvCache::Part::k, k_out, copied_of(p, k_out.value), nullptr);
  const Matrix none = Matrix::Zero(v.rows(), v.cols());
  cache.write(KvCache::Part::v, {v, none, none}, Mask::Constant(v.rows(), v.cols(), true),
              &v_bytes);
  cache.finish();
}

std::string describe(const Problem& p, const std::string& name, std::int64_t index) {
  const std::string of_cache = describe_cache(p, name, index);
  if (!of_cache.empty()) return of_cache;
  const std::int64_t d = p.symbol("head_dim");
  if (name == "q_weight" || name == "k_weight")
    return name + " of element " + std::to_string(index);
  if (name == "slots" || name == "run_slots") return "slot of token " + std::to_string(index);
  const Tensor& tensor = p.tensor(name);
  std::int64_t row_elements = 1;
  for (std::size_t i = 1; i < tensor.dims.size(); ++i) row_elements *= tensor.dims[i];
  const std::int64_t row = index / row_elements, column = index % row_elements;
  if (name == "positions")
    return "position " + std::to_string(row) + " of token " + std::to_string(column);
  if (name == "cos_sin" || name == "cos" || name == "sin")
    return name + " of position " + std::to_string(row) + ", column " + std::to_string(column);
  const std::int64_t step = name == "q_gated" ? 2 * d : d;
  return name + " of token " + std::to_string(row) + ", head " + std::to_string(column / step) +
         ", element " + std::to_string(column % step);
}

}  // namespace

Reference qk_norm_rope_cache() { return {compute, describe}; }

}  // namespace fusetune::reference

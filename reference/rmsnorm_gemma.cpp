// The reference of rmsnorm_gemma, in whole-matrix operations in double. Rounding happens where the
// options declare it and nowhere else, so the truth of the default is the mathematical value.

#include <stdexcept>

#include "reference/families.hpp"
#include "reference/quantised.hpp"

namespace fusetune::reference {

namespace {

/// The weight as a factor per column. Its terms are 1 and w.
Terms factor_of(const Problem& p) {
  const Matrix w = read(p.tensor("weight")).transpose();
  const std::string& form = p.option("weight_form");
  if (form == "plain") return {w, w.abs(), {}};
  if (form == "one_plus") return {1 + w, 1 + w.abs(), {}};
  if (form == "one_plus_bf16") return {rounded("bf16", Matrix(1 + w)), 1 + w.abs(), {}};
  throw std::invalid_argument("unknown weight_form '" + form + "'");
}

/// x + residual, as residual_out holds it and as the norm takes it.
struct Sum {
  Terms stored;
  Matrix normed;
};

Sum sum_of(const Problem& p) {
  const Matrix x = read(p.tensor("x"));
  if (p.option("residual") == "off") return {{}, x};
  const Matrix residual = read(p.tensor("residual"));
  const Matrix exact = x + residual;
  // The specification adds in fp32; what is stored is rounded from there.
  const Terms stored{rounded("fp32", exact), x.abs() + residual.abs(), {}};
  const bool before = p.option("residual_rounding") == "before_norm";
  return {stored, before ? rounded(p.tensor("residual_out").dtype, stored.value) : exact};
}

Terms norm_of(const Problem& p, const Matrix& s, const Terms& factor) {
  const double eps = static_cast<float>(p.scalar("eps"));
  const Eigen::ArrayXd scale = (s.square().rowwise().mean() + eps).sqrt().inverse();
  Matrix normed = s.colwise() * scale;
  const Matrix magnitude = (normed.abs()).rowwise() * factor.magnitude.row(0);
  Matrix steps = Matrix::Zero(normed.rows(), normed.cols());
  if (p.option("mid_rounding") == "on") {
    const std::string& dtype = p.tensor("x").dtype;
    steps = steps_at_ties(fp32_error(s.cols()), dtype, normed, normed.abs()).rowwise() *
            factor.magnitude.row(0);
    normed = rounded(dtype, normed);
  }
  return {normed.rowwise() * factor.value.row(0), magnitude + steps, steps};
}

Quantisation quantisation_of(const Problem& p) {
  const std::int64_t width = p.symbol("width");
  return {.group = p.option("quant") == "group" ? p.symbol("group") : width,
          .floor = p.option("scale_floor"),
          .transposed = p.option("scale_layout") == "transposed",
          .error = fp32_error(width)};
}

/// The rows as they are quantised.
Terms quant_source_of(const Problem& p, const Terms& y) {
  if (p.option("quant_source") == "fp32") return y;
  return rounded_terms(fp32_error(p.symbol("width")), p.tensor("x").dtype, y);
}

void compute(const Problem& p) {
  const Sum sum = sum_of(p);
  const Terms y = norm_of(p, sum.normed, factor_of(p));
  // In place, outputs share memory with inputs: all of these are read by now.
  if (p.has("residual_out")) {
    write(p.tensor("residual_out"), sum.stored.value);
    state(p.truth("residual_out"), sum.stored.value, sum.stored.magnitude);
  }
  if (p.has("y")) {
    write(p.tensor("y"), y.value);
    state(p.truth("y"), y.value, y.magnitude);
  }
  if (p.has("q")) quantise(p, quantisation_of(p), quant_source_of(p, y));
}

std::string scale_word(const Problem& p, std::int64_t index) {
  if (p.option("quant") == "per_token") return "scale of token " + std::to_string(index);
  const std::int64_t inner = p.tensor("scale").dims.at(1);
  const bool transposed = p.option("scale_layout") == "transposed";
  return "scale of token " + std::to_string(transposed ? index % inner : index / inner) +
         ", group " + std::to_string(transposed ? index / inner : index % inner);
}

std::string describe(const Problem& p, const std::string& name, std::int64_t index) {
  const std::int64_t width = p.symbol("width");
  if (name == "weight") return "weight of column " + std::to_string(index);
  if (name == "scale") return scale_word(p, index);
  return name + " of token " + std::to_string(index / width) + ", column " +
         std::to_string(index % width);
}

}  // namespace

Reference rmsnorm_gemma() { return {compute, describe}; }

}  // namespace fusetune::reference

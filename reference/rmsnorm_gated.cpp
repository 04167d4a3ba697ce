// The reference of rmsnorm_gated, in whole-matrix operations in double. Rounding happens where the
// options declare it and nowhere else, so the truth of the default is the mathematical value.

#include <stdexcept>

#include "reference/families.hpp"
#include "reference/quantised.hpp"

namespace fusetune::reference {

namespace {

/// What a row that is computed in fp32 may be off by, relative to its magnitudes: the sum of the
/// squares, and some eight roundings of the gate. The tolerances of family.yaml are the same.
double row_error(const Problem& p) { return fp32_error(p.symbol("norm_group") + 8); }

/// fp32 keeps no sigmoid below its smallest normal number.
constexpr double kSigmoidLost = 0x1p-126;

/// A vector of the head in every head of a row.
Matrix over_heads(const Problem& p, const char* name) {
  const Matrix column = read(p.tensor(name));
  return column.transpose().replicate(p.tensor("x").dims.at(0), p.symbol("heads"));
}

/// The factor that z stands for.
Terms gate_of(const Problem& p) {
  const Matrix z = read(p.tensor("z"));
  const Matrix sigmoid = (1 + (-z).exp()).inverse();
  const double lost = kSigmoidLost / row_error(p);
  const std::string& activation = p.option("activation");
  if (activation == "sigmoid") return {sigmoid, sigmoid + lost, {}};
  if (activation == "silu") return {z * sigmoid, z.abs() * (sigmoid + lost), {}};
  throw std::invalid_argument("unknown activation '" + activation + "'");
}

/// What each element is multiplied by: the same for all of a group.
Matrix norm_factors(const Problem& p, const Matrix& rows) {
  const std::int64_t group = p.symbol("norm_group");
  const double eps = static_cast<float>(p.scalar("eps"));
  const Matrix groups = rows.reshaped<Eigen::RowMajor>(rows.size() / group, group);
  const Eigen::ArrayXd factors = (groups.square().rowwise().mean() + eps).sqrt().inverse();
  return factors.replicate(1, group).reshaped<Eigen::RowMajor>(rows.rows(), rows.cols());
}

void round(const Problem& p, Terms& terms) {
  const std::string& dtype = p.tensor("x").dtype;
  terms.magnitude += steps_at_ties(row_error(p), dtype, terms.value, terms.magnitude);
  terms.value = rounded(dtype, terms.value);
}

void multiply(Terms& terms, const Matrix& factor) {
  terms.value *= factor;
  terms.magnitude *= factor.abs();
}

void add_bias(const Problem& p, Terms& terms) {
  if (p.option("bias") == "off") return;
  const Matrix bias = over_heads(p, "bias");
  terms.value += bias;
  terms.magnitude += bias.abs();
}

Terms norm_then_gate(const Problem& p) {
  const bool rounds = p.option("mid_rounding") == "on";
  const Matrix x = read(p.tensor("x"));
  Terms y{x, x.abs(), {}};
  multiply(y, norm_factors(p, x));
  if (rounds) round(p, y);
  multiply(y, over_heads(p, "weight"));
  // A weight of a wider type makes the product one of that type.
  if (rounds && p.tensor("weight").dtype == p.tensor("x").dtype) round(p, y);
  add_bias(p, y);
  const Terms gate = gate_of(p);
  return {y.value * gate.value, y.magnitude * gate.magnitude, {}};
}

Terms gate_then_norm(const Problem& p) {
  const Matrix x = read(p.tensor("x"));
  const Terms gate = gate_of(p);
  Terms y{x * gate.value, x.abs() * gate.magnitude, {}};
  multiply(y, norm_factors(p, y.value));
  multiply(y, over_heads(p, "weight"));
  add_bias(p, y);
  return y;
}

Quantisation quantisation_of(const Problem& p) {
  const bool per_token = p.option("quant") == "per_token";
  return {.group = per_token ? p.symbol("heads") * p.symbol("head_dim") : p.symbol("group"),
          .floor = p.option("scale_floor"),
          .ue8m0 = p.option("scale_rounding") == "ue8m0",
          .transposed = p.option("scale_layout") == "transposed",
          .error = row_error(p)};
}

void compute(const Problem& p) {
  const bool norm_first = p.option("norm_before_gate") == "on";
  const Terms product = norm_first ? norm_then_gate(p) : gate_then_norm(p);
  Terms y = sums(product.value, product.magnitude);
  const std::string act = p.tensor("x").dtype;
  // In place, y shares memory with an input: all of these are read by now.
  if (p.has("y")) {
    write(p.tensor("y"), y.value);
    state(p.truth("y"), y.value, y.magnitude);
  }
  if (!p.has("q")) return;
  if (p.option("quant_source") == "rounded") y = rounded_terms(row_error(p), act, y);
  quantise(p, quantisation_of(p), y);
}

std::string describe(const Problem& p, const std::string& name, std::int64_t index) {
  const std::int64_t dim = p.symbol("head_dim"), heads = p.symbol("heads");
  if (name == "weight" || name == "bias") return name + " of element " + std::to_string(index);
  if (name == "scale") {
    if (p.option("quant") == "per_token") return "scale of token " + std::to_string(index);
    const std::int64_t inner = p.tensor("scale").dims.at(1);
    const bool transposed = p.option("scale_layout") == "transposed";
    return "scale of token " + std::to_string(transposed ? index % inner : index / inner) +
           ", group " + std::to_string(transposed ? index / inner : index % inner);
  }
  return name + " of token " + std::to_string(index / (heads * dim)) + ", head " +
         std::to_string(index / dim % heads) + ", element " + std::to_string(index % dim);
}

}  // namespace

Reference rmsnorm_gated() { return {compute, describe}; }

}  // namespace fusetune::reference

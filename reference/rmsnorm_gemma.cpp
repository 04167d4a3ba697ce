// The reference of rmsnorm_gemma, in whole-matrix operations in double. Rounding happens where the
// options declare it and nowhere else, so the truth of the default is the mathematical value.

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "reference/families.hpp"
#include "reference/numbers.hpp"

namespace fusetune::reference {

namespace {

/// A result and the magnitudes of the terms it is made of.
struct Terms {
  Matrix value;
  Matrix magnitude;
};

/// What a row that is computed in fp32 may be off by, relative to its magnitudes. The tolerances of
/// family.yaml are the same.
double fp32_error(std::int64_t width) {
  return 4 * std::sqrt(static_cast<double>(width)) * 0x1p-24;
}

/// The weight as a factor per column. Its terms are 1 and w.
Terms factor_of(const Problem& p) {
  const Matrix w = read(p.tensor("weight")).transpose();
  const std::string& form = p.option("weight_form");
  if (form == "plain") return {w, w.abs()};
  if (form == "one_plus") return {1 + w, 1 + w.abs()};
  if (form == "one_plus_bf16") return {rounded("bf16", Matrix(1 + w)), 1 + w.abs()};
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
  const Terms stored{rounded("fp32", exact), x.abs() + residual.abs()};
  const bool before = p.option("residual_rounding") == "before_norm";
  return {stored, before ? rounded(p.tensor("residual_out").dtype, stored.value) : exact};
}

/// What rounding may come to on the other side of a tie: a value that is off by `error` before it
/// is off by a whole step after it. In units of that error, so that it adds to the magnitudes.
Matrix steps_at_ties(double error, const std::string& dtype, const Matrix& values) {
  const Matrix above = rounded(dtype, Matrix(values + error * values.abs()));
  const Matrix below = rounded(dtype, Matrix(values - error * values.abs()));
  const Matrix steps = (above - below) / error;
  return (steps > 0).select(steps, 0.0);  // infinities have no step
}

/// `steps`: the part of the magnitude that stands for roundings on the way.
struct Normed {
  Terms terms;
  Matrix steps;
};

Normed norm_of(const Problem& p, const Matrix& s, const Terms& factor) {
  const double eps = static_cast<float>(p.scalar("eps"));
  const Eigen::ArrayXd scale = (s.square().rowwise().mean() + eps).sqrt().inverse();
  Matrix normed = s.colwise() * scale;
  const Matrix magnitude = (normed.abs()).rowwise() * factor.magnitude.row(0);
  Matrix steps = Matrix::Zero(normed.rows(), normed.cols());
  if (p.option("mid_rounding") == "on") {
    const std::string& dtype = p.tensor("x").dtype;
    steps = steps_at_ties(fp32_error(s.cols()), dtype, normed).rowwise() * factor.magnitude.row(0);
    normed = rounded(dtype, normed);
  }
  return {{normed.rowwise() * factor.value.row(0), magnitude + steps}, steps};
}

/// What the scale of a group is, from its largest magnitude: never 0.
double scale_of(const std::string& floor, double amax, double code_max) {
  if (floor == "amax_1e_10") return std::max(amax, static_cast<double>(1e-10f)) / code_max;
  if (floor == "scale_1e_10") return amax <= 1e-10f ? static_cast<double>(1e-10f) : amax / code_max;
  if (floor == "amax_512th") return std::max(amax, 1.0 / 512) / code_max;
  if (floor == "one") return amax == 0 ? 1 : amax / code_max;
  throw std::invalid_argument("unknown scale_floor '" + floor + "'");
}

/// NaNs do not count: their codes say what they are.
double largest_magnitude(const Matrix& group) {
  return (group == group).select(group.abs(), 0.0).maxCoeff();
}

/// The rows as they are quantised.
Normed quant_source_of(const Problem& p, Normed y) {
  if (p.option("quant_source") == "fp32") return y;
  const std::string& dtype = p.tensor("x").dtype;
  const Matrix steps = steps_at_ties(fp32_error(y.steps.cols()), dtype, y.terms.value);
  return {{rounded(dtype, y.terms.value), y.terms.magnitude + steps}, y.steps + steps};
}

/// Codes of the rows in units of their scales, and the scales, one per group of columns.
void quantise(const Problem& p, const Normed& y) {
  Terms codes = y.terms;
  const std::string& code = p.tensor("q").dtype;
  const std::int64_t width = codes.value.cols();
  const std::int64_t group = p.option("quant") == "group" ? p.symbol("group") : width;
  Terms scales{Matrix(codes.value.rows(), width / group),
               Matrix(codes.value.rows(), width / group)};
  const double error = fp32_error(width);
  for (std::int64_t row = 0; row < scales.value.rows(); ++row)
    for (std::int64_t g = 0; g < scales.value.cols(); ++g) {
      auto value = codes.value.block(row, g * group, 1, group);
      auto magnitude = codes.magnitude.block(row, g * group, 1, group);
      const Matrix slack = error * y.steps.block(row, g * group, 1, group);
      const double amax = largest_magnitude(value);
      const double scale = scale_of(p.option("scale_floor"), amax, largest(code));
      // The largest magnitude may be the one that lies at a tie.
      const double spread =
          std::max(largest_magnitude(value.abs() + slack) - amax,
                   amax - largest_magnitude((value.abs() - slack).max(0.0)));
      const double doubt = amax > 0 ? spread / amax / error : 0;
      scales.value(row, g) = scale;
      scales.magnitude(row, g) = scale * (1 + doubt);
      magnitude = (magnitude + value.abs() * doubt) / scale;
      value /= scale;
    }
  write(p.tensor("q"), codes.value);
  state(p.truth("q"), codes.value, codes.magnitude);
  if (p.option("scale_layout") == "transposed")
    scales = {scales.value.transpose(), scales.magnitude.transpose()};
  write(p.tensor("scale"), scales.value);
  state(p.truth("scale"), scales.value, scales.magnitude);
}

void compute(const Problem& p) {
  const Sum sum = sum_of(p);
  const Normed y = norm_of(p, sum.normed, factor_of(p));
  // In place, outputs share memory with inputs: all of these are read by now.
  if (p.has("residual_out")) {
    write(p.tensor("residual_out"), sum.stored.value);
    state(p.truth("residual_out"), sum.stored.value, sum.stored.magnitude);
  }
  if (p.has("y")) {
    write(p.tensor("y"), y.terms.value);
    state(p.truth("y"), y.terms.value, y.terms.magnitude);
  }
  if (p.has("q")) quantise(p, quant_source_of(p, y));
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

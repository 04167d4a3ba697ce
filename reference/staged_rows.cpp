// The family of tests/mutants: a matrix transposition and a sum of whole numbers.

#include <Eigen/Core>

#include "reference/families.hpp"

namespace fusetune::reference {

namespace {

using Rows = Eigen::Matrix<std::uint16_t, Eigen::Dynamic, Eigen::Dynamic>;

void compute(const Problem& p) {
  const Tensor& x = p.tensor("x");
  const Tensor& turned = p.tensor("turned");
  const std::int64_t heads = p.symbol("heads"), width = p.symbol("width");
  auto* const sums = reinterpret_cast<std::uint32_t*>(p.tensor("sums").data);
  auto* const seen = reinterpret_cast<std::uint32_t*>(p.tensor("seen").data);
  for (std::int64_t row = 0; row < p.symbol("tokens"); ++row) {
    // Column-major, as Eigen has it: the heads are columns.
    const Eigen::Map<const Rows> in(
        reinterpret_cast<const std::uint16_t*>(x.data) + row * x.row_stride, width, heads);
    Eigen::Map<Rows>(reinterpret_cast<std::uint16_t*>(turned.data) + row * turned.row_stride, heads,
                     width) = in.transpose();
    sums[row] = in.cast<std::uint32_t>().sum();
    seen[row] += sums[row];
  }
}

std::string describe(const Problem& p, const std::string& name, std::int64_t index) {
  const std::int64_t heads = p.symbol("heads"), width = p.symbol("width");
  if (name == "sums") return "sum of token " + std::to_string(index);
  if (name == "seen") return "sum over all calls of token " + std::to_string(index);
  const std::int64_t row = index / (heads * width);
  const std::int64_t place = index % (heads * width);
  const bool is_turned = name == "turned";
  return name + " of head " + std::to_string(is_turned ? place % heads : place / width) +
         ", element " + std::to_string(is_turned ? place / heads : place % width) + ", token " +
         std::to_string(row);
}

}  // namespace

Reference staged_rows() { return {compute, describe}; }

}  // namespace fusetune::reference

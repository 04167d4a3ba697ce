#include "reference/rope.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <stdexcept>

namespace fusetune::reference {

namespace {

/// Columns of a head that meet in a pair, by frequency.
struct Pairs {
  std::vector<std::int64_t> first, second;
};

Pairs pairs_of(bool neox, std::int64_t half) {
  Pairs pairs;
  for (std::int64_t i = 0; i < half; ++i) {
    pairs.first.push_back(neox ? i : 2 * i);
    pairs.second.push_back(neox ? half + i : 2 * i + 1);
  }
  return pairs;
}

/// Products in fp32, as every form of the operation has them before it rounds them further.
Matrix product(const Matrix& a, const Matrix& b, const std::string& type) {
  const Matrix exact = a * b;
  return type.empty() ? exact : rounded(type, rounded("fp32", exact));
}

template <class Index>
std::int64_t index_at(const Tensor& tensor, std::int64_t element) {
  Index value = 0;
  std::memcpy(&value, tensor.data + element * tensor.element_bytes, sizeof value);
  return value;
}

/// The table's rows at these positions, one column per frequency.
Angles read_table(const Problem& p, Eigen::Index half, const std::vector<std::int64_t>& positions) {
  const std::string& layout = p.option("table_layout");
  if (layout == "packed") {
    const Matrix both = read_rows(p.tensor("cos_sin"), positions);
    return {both.leftCols(half), both.rightCols(half)};
  }
  if (layout != "separate" && layout != "duplicated")
    throw std::invalid_argument("unknown table_layout '" + layout + "'");
  return {read_rows(p.tensor("cos"), positions).leftCols(half),
          read_rows(p.tensor("sin"), positions).leftCols(half)};
}

}  // namespace

std::vector<int> axes_of(const std::string& rule, const std::vector<std::int64_t>& sections,
                         std::int64_t half) {
  std::vector<int> axes(static_cast<std::size_t>(half), 0);
  if (rule == "none") return axes;
  if (sections.size() != 3 ||
      std::accumulate(sections.begin(), sections.end(), std::int64_t{0}) != half)
    throw std::invalid_argument("the sections of time, height and width are not the half");
  if (rule == "sectioned") {
    auto at = axes.begin() + sections[0];
    at = std::fill_n(at, sections[1], 1);
    std::fill_n(at, sections[2], 2);
  } else if (rule == "interleaved") {
    // Height and width take every third frequency until their sections are used up.
    for (int axis = 1; axis < 3; ++axis)
      for (std::int64_t n = 0; n < sections[static_cast<std::size_t>(axis)]; ++n)
        axes.at(static_cast<std::size_t>(3 * n + axis)) = axis;
  } else {
    throw std::invalid_argument("unknown axis rule '" + rule + "'");
  }
  return axes;
}

std::vector<std::vector<std::int64_t>> read_positions(const Tensor& tensor) {
  const bool single = tensor.dims.size() == 1;
  const std::int64_t axes = single ? 1 : tensor.dims.at(0);
  const std::int64_t tokens = tensor.dims.back();
  std::vector<std::vector<std::int64_t>> positions(static_cast<std::size_t>(axes));
  for (std::int64_t axis = 0; axis < axes; ++axis)
    for (std::int64_t token = 0; token < tokens; ++token) {
      const std::int64_t at = single ? token : axis * tensor.row_stride + token;
      positions[static_cast<std::size_t>(axis)].push_back(tensor.element_bytes == 8
                                                              ? index_at<std::int64_t>(tensor, at)
                                                              : index_at<std::int32_t>(tensor, at));
    }
  return positions;
}

Angles read_angles(const Problem& p, const std::vector<std::vector<std::int64_t>>& positions,
                   const std::vector<int>& axes) {
  const auto half = static_cast<Eigen::Index>(axes.size());
  const auto tokens = static_cast<Eigen::Index>(positions.at(0).size());
  const int axes_used = axes.empty() ? 0 : 1 + *std::max_element(axes.begin(), axes.end());
  Angles angles{Matrix(tokens, half), Matrix(tokens, half)};
  for (int axis = 0; axis < axes_used; ++axis) {
    const Angles table = read_table(p, half, positions.at(static_cast<std::size_t>(axis)));
    for (Eigen::Index frequency = 0; frequency < half; ++frequency) {
      if (axes[static_cast<std::size_t>(frequency)] != axis) continue;
      angles.cos.col(frequency) = table.cos.col(frequency);
      angles.sin.col(frequency) = table.sin.col(frequency);
    }
  }
  return angles;
}

Terms rotate(const Matrix& heads, const Angles& angles, const Rotation& rotation) {
  const Pairs pairs = pairs_of(rotation.neox, angles.cos.cols());
  const auto times = [&](const Matrix& a, const Matrix& b) {
    return product(a, b, rotation.product_type);
  };
  const auto all =
      Eigen::seqN(Eigen::Index{0}, heads.rows());  // Eigen 3 and 5 name theirs differently
  const Matrix x1 = heads(all, pairs.first), x2 = heads(all, pairs.second);
  const Matrix x1c = times(x1, angles.cos), x2s = times(x2, angles.sin);
  const Matrix x2c = times(x2, angles.cos), x1s = times(x1, angles.sin);
  Matrix value = heads, magnitude = heads.abs();
  value(all, pairs.first) = x1c - x2s;
  value(all, pairs.second) = x2c + x1s;
  magnitude(all, pairs.first) = x1c.abs() + x2s.abs();
  magnitude(all, pairs.second) = x2c.abs() + x1s.abs();
  return sums(value, magnitude);
}

}  // namespace fusetune::reference

#pragma once
// The mirror family with inputs to compute with.

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/verify/codec.hpp"
#include "harness/verify/edges.hpp"
#include "harness/verify/inputs.hpp"
#include "tests/verify/mirror_family.hpp"

namespace fusetune::test {

inline constexpr std::int64_t kRows = 16;
inline constexpr std::int64_t kWidth = 32;

inline Case case_of(const std::shared_ptr<Family>& family, DType dtype, std::int64_t rows = kRows,
                    std::int64_t width = kWidth) {
  Case which = mirror_case({.rows = rows, .width = width, .padding = 3, .dtype = dtype});
  family->dtypes[0].values = all_dtypes();
  which.geometry.family = family;
  return which;
}

inline Generator normal_with(std::vector<Edge> edges) {
  Generator generator;
  generator.kind = Generator::Kind::normal;
  generator.edges = std::move(edges);
  return generator;
}

/// The mirror family with floats to compute with: x declares the edges, acc none.
inline std::shared_ptr<Family> computing(const std::vector<Edge>& edges) {
  auto family = mirror_family();
  family->tensors[0].generator = normal_with(edges);
  family->tensors[2].generator = normal_with({});
  return family;
}

inline std::vector<double> values_of(const TensorImage& image) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < image.shape.elements(); ++i) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, image.element(i), static_cast<std::size_t>(image.element_bytes()));
    values.push_back(decode(image.shape.dtype, bits));
  }
  return values;
}

inline int pass_named(const Inputs& inputs, const std::string& name) {
  for (int pass = 0; pass < inputs.passes(); ++pass)
    if (inputs.pass_name(pass) == name) return pass;
  ADD_FAILURE() << "no pass " << name;
  return 0;
}

inline std::vector<double> row_of(const std::vector<double>& values, std::int64_t row,
                                  std::int64_t width = kWidth) {
  return {values.begin() + row * width, values.begin() + (row + 1) * width};
}

}  // namespace fusetune::test

#pragma once
// The values of inputs that are no element numbers: each is a function of a key and its index.

#include <cstdint>
#include <string_view>

#include "harness/spec/generator.hpp"
#include "harness/spec/geometry.hpp"
#include "harness/verify/fast_codec.hpp"

namespace fusetune {

/// What makes the values of a tensor those of one seed, pass and call.
std::uint64_t key_of(std::uint64_t seed, std::string_view tensor, int pass, int call);

/// Well-mixed bits of a counter under a key.
std::uint64_t hash_at(std::uint64_t key, std::uint64_t counter);

/// Evenly distributed over [0, 1), from the upper 53 bits.
double unit_value(std::uint64_t bits);

/// Normally distributed with mean 0 and deviation 1, up to 3.84 deviations out.
double normal_value(std::uint64_t bits);

/// The rows of a tensor as generators see them: a tensor of one dimension is one row.
struct RowLayout {
  std::uint64_t rows = 0;
  std::uint64_t row_elements = 1;
  explicit RowLayout(const TensorShape& shape);
  std::uint64_t row_of(std::uint64_t index) const {
    // Narrow divisions are several times cheaper, and there is one for each element.
    if ((index | row_elements) >> 32 == 0)
      return static_cast<std::uint32_t>(index) / static_cast<std::uint32_t>(row_elements);
    return index / row_elements;
  }
  std::uint64_t column_of(std::uint64_t index) const {
    return index - row_of(index) * row_elements;
  }
};

/// The factor of row r: 2^(5 r mod 8), so that neighbours differ most.
double row_scale(std::uint64_t row);

/// The elements of a `normal` or `uniform` tensor.
class RandomValues {
 public:
  RandomValues(const Generator& generator, const TensorShape& shape, std::uint64_t key);

  /// Before it is rounded to the type.
  double value(std::uint64_t index) const;
  /// Values beyond the type's largest become that.
  std::uint64_t bits(std::uint64_t index) const;

  const RowLayout& layout() const { return layout_; }
  DType dtype() const { return dtype_; }
  std::uint64_t key() const { return key_; }

 private:
  double uniform_value(std::uint64_t hash) const;

  Generator::Kind kind_;
  double mean_, stddev_, low_, high_;
  bool scale_rows_;
  RowLayout layout_;
  DType dtype_;
  FastEncoder encode_;
  std::uint64_t key_;
};

}  // namespace fusetune

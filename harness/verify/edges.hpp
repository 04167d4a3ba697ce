#pragma once
// Values that careless kernels get wrong, one kind to a pass (harness/spec/generator.hpp).

#include <cstdint>
#include <optional>

#include "harness/verify/codec.hpp"
#include "harness/verify/generators.hpp"

namespace fusetune {

/// Whether a type can hold them: no infinities in fp8 types without them, none at all in integers.
bool has_edge(DType dtype, Edge edge);

/// The elements of a tensor in the pass of an edge. `usual` is what it would hold otherwise; the
/// type must have the edge.
class EdgeValues {
 public:
  EdgeValues(Edge edge, const RandomValues& usual);

  std::uint64_t bits(std::uint64_t index) const;

 private:
  /// From the bits of one element alone.
  double zero(std::uint64_t hash) const;
  double wide(std::uint64_t hash) const;
  double denormal(std::uint64_t hash) const;
  double huge(std::uint64_t hash) const;

  /// A column of the row, picked by the seed.
  std::uint64_t picked_column(std::uint64_t row) const;
  /// The element of a picked row that holds what is there once; the second row follows the first.
  std::uint64_t picked_element(std::uint64_t n) const;
  double cancelling(std::uint64_t index) const;
  double value(std::uint64_t index) const;

  Edge edge_;
  const RandomValues& usual_;
  FloatFormat format_;
  FastEncoder encode_;
  std::uint64_t key_;
  std::optional<std::uint64_t> first_, second_;  ///< elements picked, where there are as many rows
};

}  // namespace fusetune

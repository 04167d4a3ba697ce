#pragma once
// Values that careless kernels get wrong, one kind to a pass (harness/spec/generator.hpp).

#include <cstdint>

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
  /// The element of the n-th picked row that holds what is there once; rows that do not exist
  /// hold none.
  bool is_picked(std::uint64_t index, std::uint64_t n) const;
  double cancelling(std::uint64_t index) const;
  double value(std::uint64_t index) const;

  Edge edge_;
  const RandomValues& usual_;
  FloatFormat format_;
  std::uint64_t key_;
  std::uint64_t picked_row_ = 0;
};

}  // namespace fusetune

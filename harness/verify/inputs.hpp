#pragma once
// Counter-based inputs: the value of an element is a function of (seed, tensor, element, pass), so
// any of them can be made again, anywhere. For families that move data, the passes together carry
// every bit of a scrambled element number: what an output holds says where it came from.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/spec/geometry.hpp"
#include "harness/verify/images.hpp"

namespace fusetune {

class Inputs {
 public:
  Inputs(const Case& which, std::uint64_t seed);

  /// Passes of the whole protocol. The first number_passes() carry element numbers where any input
  /// is made of `bits` (else they are `normal`); then one of special bit patterns for those inputs;
  /// then one for every edge that some input declares.
  int passes() const;
  int number_passes() const { return number_passes_; }
  std::string pass_name(int pass) const;  ///< "numbers 0", "special bits", "outlier"

  /// Images of all tensors of the case: those that are filled hold their values, the others poison;
  /// row padding is poison everywhere. Calls of one pass differ in everything that is read only.
  TensorImages images(int pass, Poison poison, int call = 0) const;

  /// An element of an input.
  struct Source {
    std::string tensor;
    std::int64_t index = 0;
    bool operator==(const Source&) const = default;
  };

  /// Whether that many passes tell which input element a value of `element_bytes` bytes is.
  bool can_name(std::int64_t element_bytes, std::int64_t passes) const;

  /// The input element that has these bytes: `values[p]` points at the element of `element_bytes`
  /// bytes in pass p. Nothing when no input element has them, or can_name()
  /// is false.
  std::optional<Source> source_of(std::span<const std::byte* const> values,
                                  std::int64_t element_bytes) const;

 private:
  struct Input {
    std::string name;
    std::int64_t element_bytes = 0;
    std::uint64_t first = 0;  ///< number of its first element
    std::uint64_t elements = 0;
    DType dtype = DType::bf16;
  };

  std::uint64_t value(const Input& input, std::uint64_t index, int pass) const;
  void fill(const Input& input, int pass, TensorImage& image) const;

  Case which_;
  std::uint64_t seed_;
  std::vector<Input> inputs_;
  std::uint64_t elements_ = 0;
  int number_passes_ = 2;
};

}  // namespace fusetune

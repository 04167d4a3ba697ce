#pragma once
// Counter-based inputs: the value of an element is a function of (seed, tensor, element, pass,
// call), so any of them can be made again, anywhere. For families that move data, the passes
// together carry every bit of a scrambled element number: what an output holds says where it came
// from.

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
  int edge_passes() const { return static_cast<int>(edges_.size()); }
  std::string pass_name(int pass) const;  ///< "numbers 0", "normal 1", "special bits", "outlier"

  /// Images of all tensors of the case: those that are filled hold their values, the others poison;
  /// row padding is poison everywhere. Calls of one pass differ in everything that is read only.
  TensorImages images(int pass, Poison poison, int call = 0) const;

  /// One element of an input again, in the low bytes. Throws std::logic_error for what is no input.
  std::uint64_t element(std::string_view tensor, std::int64_t index, int pass, int call = 0) const;

  /// An element of an input that is made of `bits`.
  struct Source {
    std::string tensor;
    std::int64_t index = 0;
    bool operator==(const Source&) const = default;
  };

  /// Whether that many passes tell which input element a value of `element_bytes` bytes is.
  bool can_name(std::int64_t element_bytes, std::int64_t passes) const;

  /// The input element that has these bytes: `values[p]` points at the element of `element_bytes`
  /// bytes in pass p of a call. Nothing when no input element has them, or can_name() is false.
  std::optional<Source> source_of(std::span<const std::byte* const> values,
                                  std::int64_t element_bytes, int call = 0) const;

 private:
  struct Input {
    const TensorDecl* decl = nullptr;  ///< of the family that `which_` keeps
    TensorShape shape;
    std::uint64_t first = 0;  ///< of `bits`: number of its first element
    std::int64_t element_bytes() const { return size_bytes(shape.dtype); }
    bool carries_numbers() const { return decl->generator.kind == Generator::Kind::bits; }
  };

  const Input* find(std::string_view tensor) const;
  bool has_special_pass() const { return special_passes_ != 0; }
  /// The edge of a pass; nothing for the passes before the edges.
  std::optional<Edge> edge_of(int pass) const;
  /// Calls `use(bits_of)` with the function from an index to the element's bits.
  template <typename Use>
  void with_values(const Input& input, int pass, int call, const Use& use) const;
  std::uint64_t number(const Input& input, std::uint64_t index, int pass, int call) const;
  void count_passes();

  Case which_;
  std::uint64_t seed_;
  std::vector<Input> inputs_;
  std::uint64_t elements_ = 0;  ///< that have a number
  int number_passes_ = 2;
  int special_passes_ = 0;
  std::vector<Edge> edges_;
  std::string first_passes_ = "numbers";
};

}  // namespace fusetune

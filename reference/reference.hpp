#pragma once
// References: what a family computes, written in Eigen and differently from the kernels. Knows
// nothing of the harness.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fusetune::reference {

/// A tensor of a case: raw elements, row-major within a row, rows `row_stride` elements apart.
struct Tensor {
  std::byte* data = nullptr;
  std::int64_t element_bytes = 2;
  std::string dtype;  ///< "bf16", "e4m3fn", ...
  std::vector<std::int64_t> dims;
  std::int64_t row_stride = 0;  ///< elements
};

/// What an output would hold without rounding, by element (padding not counted).
struct Truth {
  std::vector<double> value;      ///< in fp64, before the last rounding; of codes: before rounding,
                                  ///< in units of the scale
  std::vector<double> magnitude;  ///< sum of the magnitudes of the terms; empty: |value|
  std::vector<bool> copied;       ///< elements that are moved, not computed: their bytes are
                                  ///< compared; empty: none
  std::vector<bool> kept;         ///< elements that nothing is written to: their bytes stay;
                                  ///< empty: not told
};

/// The numbers and words of a case.
struct Problem {
  std::map<std::string, std::int64_t> symbols;  ///< static and runtime
  std::map<std::string, double> scalars;
  std::map<std::string, std::string> options;
  std::map<std::string, Tensor>
      tensors;  ///< inputs filled; inout filled with their initial content; outputs to be written
  std::map<std::string, Truth*> truths;

  std::int64_t symbol(const std::string& name) const;  ///< throws std::out_of_range naming it
  const std::string& option(const std::string& name) const;
  double scalar(const std::string& name) const;
  const Tensor& tensor(const std::string& name) const;
  /// To be filled by compute(); nullptr for outputs that are compared byte for byte.
  Truth* truth(const std::string& name) const;
  bool has(const std::string& name) const { return tensors.count(name) != 0; }
};

struct Reference {
  /// Writes every element of every output and updates inouts. Row padding is left alone.
  std::function<void(const Problem&)> compute;
  /// An element in the words of the operation: "v of head 1, element 17, token 5". `index` counts
  /// without padding.
  std::function<std::string(const Problem&, const std::string& tensor, std::int64_t index)>
      describe;
};

/// By the name in family.yaml; nullptr when there is none.
const Reference* find(std::string_view name);
std::vector<std::string> names();

}  // namespace fusetune::reference

#pragma once
// Tensors of golden files as numbers, through the references' own reading.

#include "harness/verify/safetensors.hpp"
#include "rows.hpp"

namespace fusetune::reference::testing {

/// All elements of a bf16 or fp32 tensor, in the file's order.
inline std::vector<double> numbers_of(const StoredTensor& stored) {
  const std::string dtype = stored.dtype == "F32" ? "fp32" : "bf16";
  std::vector<std::byte> bytes = stored.bytes;
  const auto count = static_cast<std::int64_t>(bytes.size()) / bytes_of(dtype);
  const Matrix values = read({bytes.data(), bytes_of(dtype), dtype, {count}, 1});
  return {values.data(), values.data() + values.size()};
}

}  // namespace fusetune::reference::testing

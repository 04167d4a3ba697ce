#include "harness/verify/golden_tables.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "harness/base/error.hpp"
#include "harness/verify/codec.hpp"

namespace fusetune {

namespace {

template <class Element>
std::vector<Element> elements_of(const GoldenCase& golden, const char* name, const char* dtype) {
  const auto found = golden.tensors.find(name);
  if (found == golden.tensors.end() || found->second.dtype != dtype)
    throw UserError(
        fmt::format("golden case {}: a table needs a tensor '{}' of {}", golden.name, name, dtype));
  std::vector<Element> elements(found->second.bytes.size() / sizeof(Element));
  if (!elements.empty())
    std::memcpy(elements.data(), found->second.bytes.data(), elements.size() * sizeof(Element));
  return elements;
}

/// As it is computed in fp32: the angle is rounded, and its cosine or sine.
float value_at(const std::string& kind, float frequency, std::int64_t position, bool second) {
  const double angle = static_cast<double>(frequency * static_cast<float>(position));
  const bool sine = kind == "sin" || (kind == "packed" && second);
  return static_cast<float>(sine ? std::sin(angle) : std::cos(angle));
}

StoredTensor rotary_table(const GoldenCase& golden, const std::string& kind,
                          const TensorShape& shape) {
  const auto frequencies = elements_of<float>(golden, "inv_freq", "F32");
  const auto positions = elements_of<std::int64_t>(golden, "positions", "I64");
  if (frequencies.empty())
    throw UserError(fmt::format("golden case {}: 'inv_freq' has no numbers", golden.name));
  const std::int64_t bytes = size_bytes(shape.dtype), columns = shape.row_elements;
  StoredTensor table{.dtype = {}, .dims = shape.dims, .bytes = {}};
  table.bytes.resize(static_cast<std::size_t>(shape.elements() * bytes));
  for (const std::int64_t position : positions) {
    if (position < 0 || position >= shape.dims.at(0))
      throw UserError(fmt::format("golden case {}: position {} of a table of {} rows", golden.name,
                                  position, shape.dims.at(0)));
    for (std::int64_t column = 0; column < columns; ++column) {
      const float frequency = frequencies[static_cast<std::size_t>(column) % frequencies.size()];
      const std::uint64_t bits =
          encode(shape.dtype,
                 static_cast<double>(value_at(kind, frequency, position, 2 * column >= columns)),
                 Overflow::saturate);
      std::memcpy(table.bytes.data() + (position * columns + column) * bytes, &bits,
                  static_cast<std::size_t>(bytes));
    }
  }
  return table;
}

/// Every element's place, in as many bits as it has.
StoredTensor indices(const TensorShape& shape) {
  const auto bytes = static_cast<std::size_t>(size_bytes(shape.dtype));
  StoredTensor table{.dtype = {}, .dims = shape.dims, .bytes = {}};
  table.bytes.resize(static_cast<std::size_t>(shape.elements()) * bytes);
  for (std::uint64_t i = 0; i < table.bytes.size() / bytes; ++i)
    std::memcpy(table.bytes.data() + i * bytes, &i, bytes);
  return table;
}

}  // namespace

StoredTensor golden_table(const GoldenCase& golden, const std::string& kind,
                          const TensorShape& shape) {
  if (kind == "packed" || kind == "cos" || kind == "sin") return rotary_table(golden, kind, shape);
  if (kind == "bf16_patterns" && (shape.dtype != DType::bf16 || shape.elements() != 65536))
    throw UserError(
        fmt::format("golden case {}: the patterns of bf16 are 65536 elements of it", golden.name));
  if (kind == "bf16_patterns" || (kind == "indices" && is_integer(shape.dtype)))
    return indices(shape);
  throw UserError(fmt::format(
      "golden case {}: {}", golden.name,
      unknown_name("kind of table", kind, {"packed", "cos", "sin", "bf16_patterns", "indices"})));
}

StoredTensor golden_filled(const TensorShape& shape, std::uint64_t bits) {
  const auto bytes = static_cast<std::size_t>(size_bytes(shape.dtype));
  StoredTensor filled{.dtype = {}, .dims = shape.dims, .bytes = {}};
  filled.bytes.resize(static_cast<std::size_t>(shape.elements()) * bytes);
  for (std::size_t at = 0; at < filled.bytes.size(); at += bytes)
    std::memcpy(filled.bytes.data() + at, &bits, bytes);
  return filled;
}

}  // namespace fusetune

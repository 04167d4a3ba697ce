#include "harness/spec/dtype.hpp"

#include <array>

namespace fusetune {

namespace {

struct DTypeFacts {
  DType dtype;
  std::string_view name;
  std::int64_t size_bytes;
};

constexpr std::array<DTypeFacts, 11> facts{{{DType::bf16, "bf16", 2},
                                            {DType::fp16, "fp16", 2},
                                            {DType::fp32, "fp32", 4},
                                            {DType::i32, "i32", 4},
                                            {DType::i64, "i64", 8},
                                            {DType::e4m3fn, "e4m3fn", 1},
                                            {DType::e4m3fnuz, "e4m3fnuz", 1},
                                            {DType::e5m2, "e5m2", 1},
                                            {DType::e5m2fnuz, "e5m2fnuz", 1},
                                            {DType::e8m0, "e8m0", 1},
                                            {DType::u8, "u8", 1}}};

constexpr bool in_declared_order() {
  for (std::size_t i = 0; i < facts.size(); ++i)
    if (static_cast<std::size_t>(facts[i].dtype) != i) return false;
  return true;
}
static_assert(in_declared_order(), "facts are looked up by the value of the enumeration");

const DTypeFacts& facts_of(DType dtype) { return facts.at(static_cast<std::size_t>(dtype)); }

}  // namespace

std::string_view to_string(DType dtype) { return facts_of(dtype).name; }

std::optional<DType> dtype_from_string(std::string_view name) {
  for (const DTypeFacts& fact : facts)
    if (fact.name == name) return fact.dtype;
  return std::nullopt;
}

const std::vector<DType>& all_dtypes() {
  static const std::vector<DType> all = [] {
    std::vector<DType> list;
    for (const DTypeFacts& fact : facts) list.push_back(fact.dtype);
    return list;
  }();
  return all;
}

std::int64_t size_bytes(DType dtype) { return facts_of(dtype).size_bytes; }

}  // namespace fusetune

#pragma once
// A variant as the name of a kernel: one word without commas or quotes, that reads back.

#include <optional>
#include <string>
#include <string_view>

#include "harness/spec/geometry.hpp"

namespace fusetune {

/// "fused:block_size=256;mapping=row"
std::string kernel_name(const Variant& variant);

/// The implementation and the key that parse_variant_key takes; nothing for any other name.
struct NamedVariant {
  std::string implementation;
  std::string key;  ///< axes alone, "" of none
};
std::optional<NamedVariant> parse_kernel_name(std::string_view name);

}  // namespace fusetune

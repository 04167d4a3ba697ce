#include "harness/import/named_variant.hpp"

#include <algorithm>

namespace fusetune {

namespace {

constexpr std::string_view kNoKey = ",\"\n\r";

}  // namespace

std::string kernel_name(const Variant& variant) {
  std::string axes = to_string(variant.axes);
  std::replace(axes.begin(), axes.end(), ',', ';');
  return variant.implementation + ":" + axes;
}

std::optional<NamedVariant> parse_kernel_name(std::string_view name) {
  const std::size_t colon = name.find(':');
  if (colon == 0 || colon == std::string_view::npos ||
      name.find_first_of(kNoKey) != std::string_view::npos)
    return std::nullopt;
  NamedVariant named{std::string(name.substr(0, colon)), std::string(name.substr(colon + 1))};
  std::replace(named.key.begin(), named.key.end(), ';', ',');
  return named;
}

}  // namespace fusetune

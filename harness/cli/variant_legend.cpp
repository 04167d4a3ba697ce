#include "harness/cli/variant_legend.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fusetune {

std::string VariantLegend::number(const std::string& key) {
  auto known = std::find(keys_.begin(), keys_.end(), key);
  if (known == keys_.end()) known = keys_.insert(keys_.end(), key);
  return fmt::format("{}{}", prefix_, known - keys_.begin() + 1);
}

std::string VariantLegend::text() const {
  std::string out;
  for (std::size_t i = 0; i < keys_.size(); ++i)
    out += fmt::format("  {:>4} {}\n", fmt::format("{}{}", prefix_, i + 1), keys_[i]);
  return out;
}

}  // namespace fusetune

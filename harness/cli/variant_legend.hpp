#pragma once
// Variant keys are long and must stay whole to paste back: tables show a number, a list below gives
// the keys.

#include <string>
#include <utility>
#include <vector>

namespace fusetune {

class VariantLegend {
 public:
  /// `prefix` tells apart the numbers of two legends under one table.
  explicit VariantLegend(std::string prefix = "#") : prefix_(std::move(prefix)) {}

  /// "#1" for the first key that is asked for, and so on; the same key keeps its number.
  std::string number(const std::string& key);
  /// "  #1 block_size=256,..." per line.
  std::string text() const;

 private:
  std::string prefix_;
  std::vector<std::string> keys_;
};

}  // namespace fusetune

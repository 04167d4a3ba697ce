#pragma once
// Variant keys are long and must stay whole to paste back: tables show a number, a list below gives
// the keys.

#include <string>
#include <vector>

namespace fusetune {

class VariantLegend {
 public:
  /// "#1" for the first key that is asked for, and so on; the same key keeps its number.
  std::string number(const std::string& key);
  /// "  #1 block_size=256,..." per line.
  std::string text() const;

 private:
  std::vector<std::string> keys_;
};

}  // namespace fusetune

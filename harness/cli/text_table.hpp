#pragma once
// A table of text that keeps to the line width by cutting its widest column.

#include <string>
#include <vector>

namespace fusetune {

class TextTable {
 public:
  enum class Align { left, right };

  explicit TextTable(std::vector<std::string> header, std::vector<Align> align = {});
  /// Cells beyond the header are an error; missing ones are empty.
  void add(std::vector<std::string> row);
  bool empty() const { return rows_.empty(); }
  /// Two blanks between columns, header underlined; no line is wider than `width`.
  std::string text(std::size_t width) const;

 private:
  std::vector<std::string> header_;
  std::vector<Align> align_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace fusetune

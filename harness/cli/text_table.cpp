#include "harness/cli/text_table.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "harness/cli/terminal.hpp"

namespace fusetune {

TextTable::TextTable(std::vector<std::string> header, std::vector<Align> align)
    : header_(std::move(header)), align_(std::move(align)) {
  align_.resize(header_.size(), Align::left);
}

void TextTable::add(std::vector<std::string> row) {
  if (row.size() > header_.size()) throw std::logic_error("a table row has too many cells");
  row.resize(header_.size());
  rows_.push_back(std::move(row));
}

std::string TextTable::text(std::size_t width) const {
  std::vector<std::size_t> widths;
  widths.reserve(header_.size());
  for (std::size_t c = 0; c < header_.size(); ++c) {
    std::size_t widest = header_[c].size();
    for (const auto& row : rows_) widest = std::max(widest, row[c].size());
    widths.push_back(widest);
  }
  const std::size_t gaps = header_.empty() ? 0 : 2 * (header_.size() - 1);
  for (;;) {
    const std::size_t total = std::accumulate(widths.begin(), widths.end(), gaps);
    const auto widest = std::max_element(widths.begin(), widths.end());
    if (total <= width || widest == widths.end() || *widest <= 4) break;
    *widest -= std::min(*widest - 4, total - width);
  }
  std::string out;
  const auto add_line = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const std::string cell = shortened(cells[c], widths[c]);
      const std::string pad(widths[c] - cell.size(), ' ');
      line += align_[c] == Align::right ? pad + cell : cell + pad;
      if (c + 1 < cells.size()) line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  };
  add_line(header_);
  std::vector<std::string> rule;
  rule.reserve(widths.size());
  for (const std::size_t w : widths) rule.emplace_back(w, '-');
  add_line(rule);
  for (const auto& row : rows_) add_line(row);
  return out;
}

}  // namespace fusetune

#pragma once
// Pieces of HTML that all sections are made of. Arguments named `html` are taken as they are; all
// others are escaped here.

#include <string>
#include <string_view>
#include <vector>

#include "harness/report/svg.hpp"

namespace fusetune {

/// A table that scrolls within its own width.
class HtmlTable {
 public:
  /// A key takes the width that others leave.
  enum class Kind { text, number, key };
  struct Column {
    std::string name;
    Kind kind = Kind::text;
  };
  HtmlTable(std::string caption, std::vector<Column> columns);

  /// One cell per column; `style` is a class of the row.
  void add(std::vector<std::string> html_cells, std::string_view style = "");
  bool is_empty() const { return rows_.empty(); }
  std::string html() const;

 private:
  std::string caption_;
  std::vector<Column> columns_;
  std::string rows_;
};

/// A variant or case key that may break behind its commas.
std::string key_html(std::string_view key);

/// A picture with its own width, as a figure.
std::string figure_html(const Svg& svg);

/// Something that is opened by a click: "<details>".
std::string details_html(std::string_view summary, std::string_view html, bool open = false);

/// A paragraph in the smaller type of notes.
std::string note_html(std::string_view text);

}  // namespace fusetune

#include "harness/report/html.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "harness/report/escape.hpp"

namespace fusetune {

namespace {

std::string_view kind_class(HtmlTable::Kind kind) {
  if (kind == HtmlTable::Kind::number) return " class=\"n\"";
  return kind == HtmlTable::Kind::key ? " class=\"k\"" : "";
}

}  // namespace

HtmlTable::HtmlTable(std::string caption, std::vector<Column> columns)
    : caption_(std::move(caption)), columns_(std::move(columns)) {}

void HtmlTable::add(std::vector<std::string> html_cells, std::string_view style) {
  if (html_cells.size() != columns_.size())
    throw std::logic_error("a row of " + caption_ + " has other columns than the table");
  rows_ += style.empty() ? "<tr>" : fmt::format("<tr class=\"{}\">", style);
  for (std::size_t c = 0; c < columns_.size(); ++c)
    rows_ += fmt::format("<td{}>{}</td>", kind_class(columns_[c].kind), html_cells[c]);
  rows_ += "</tr>\n";
}

std::string HtmlTable::html() const {
  std::string head;
  for (const Column& column : columns_)
    head +=
        fmt::format("<th scope=\"col\"{}>{}</th>", kind_class(column.kind), escaped(column.name));
  return fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\"><table>"
      "<caption>{0}</caption><thead><tr>{1}</tr></thead>\n<tbody>{2}</tbody></table></div>\n",
      escaped(caption_), head, rows_);
}

std::string key_html(std::string_view key) {
  return key.empty() ? "" : fmt::format("<code>{}</code>", escaped_key(key));
}

std::string figure_html(const Svg& svg) {
  return fmt::format("<figure class=\"picture\">{}</figure>\n", svg.element());
}

std::string details_html(std::string_view summary, std::string_view html, bool open) {
  return fmt::format("<details{}><summary>{}</summary>\n{}</details>\n", open ? " open" : "",
                     escaped(summary), html);
}

std::string note_html(std::string_view text) {
  return fmt::format("<p class=\"note\">{}</p>\n", escaped(text));
}

}  // namespace fusetune

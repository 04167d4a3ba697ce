#include "harness/table/quote.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

namespace fusetune {

namespace {

bool printable(char c) { return c >= 0x20 && c < 0x7f; }

}  // namespace

std::string cpp_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '?') {
      out += "\\?";  // no trigraphs
    } else if (printable(c)) {
      out += c;
    } else {
      out += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    }
  }
  return out + '"';
}

std::string yaml_string(std::string_view text) {
  bool plain = true;
  for (const char c : text) plain = plain && printable(c);
  std::string out;
  if (plain) {
    out = "'";
    for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
    return out + '\'';
  }
  out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (printable(c) || byte >= 0x80) {
      out += c;  // UTF-8 passes through
    } else {
      out += fmt::format("\\x{:02x}", byte);
    }
  }
  return out + '"';
}

std::string comment_text(std::string_view text) {
  std::string out;
  for (const char c : text) out += printable(c) ? c : '?';
  while (!out.empty() && out.back() == '\\') out.back() = '/';
  // Two question marks in a row begin a trigraph, and one of those is a backslash.
  for (std::size_t i = 1; i < out.size(); ++i) {
    if (out[i] == '?' && out[i - 1] == '?') out[i] = '.';
  }
  return out;
}

std::string double_text(double value) {
  if (!std::isfinite(value)) throw std::logic_error("a figure is not a finite number");
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

}  // namespace fusetune

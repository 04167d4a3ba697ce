#pragma once
// What the output may look like: colour and bars on a terminal alone, plain lines elsewhere.

#include <cstdio>
#include <string>
#include <string_view>

namespace fusetune {

/// The widest line that the program prints, terminal or not.
constexpr std::size_t kLineWidth = 100;

struct Terminal {
  bool is_terminal = false;  ///< stderr is a terminal, TERM is not dumb, CI is not set
  bool colour = false;       ///< is_terminal, and NO_COLOR is not set

  static Terminal detect();

  std::string green(std::string_view text) const { return paint("32", text); }
  std::string red(std::string_view text) const { return paint("31", text); }
  std::string yellow(std::string_view text) const { return paint("33", text); }
  std::string bold(std::string_view text) const { return paint("1", text); }
  std::string dim(std::string_view text) const { return paint("2", text); }

 private:
  std::string paint(const char* code, std::string_view text) const;
};

/// "3 variants", "1 variant", "2 geometries", "2 launches".
std::string counted(long long n, std::string_view noun);

/// Seconds as a person reads them: "0.8 s", "42 s", "3 min 05 s".
std::string duration_text(double seconds);

/// `text` cut to `width` columns, the cut marked by "...".
std::string shortened(std::string_view text, std::size_t width);

/// `text` wrapped at blanks to kLineWidth, line by line; leading blanks stay, continued lines are
/// indented by `indent`. A word that is longer, such as a key, stays whole. Ends with a line end.
std::string wrapped(std::string_view text, std::size_t indent);

}  // namespace fusetune

#include "harness/table/seal.hpp"

#include <algorithm>
#include <stdexcept>

#include "harness/base/hash.hpp"

namespace fusetune {

namespace {

constexpr std::string_view kMark = "checksum";
constexpr std::size_t kPunctuationMax = 5;  // `": "` at most, and `: `

/// Where the 32 digits behind the last mark begin; npos without them.
std::size_t find_digits(std::string_view text) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  for (std::size_t mark = text.rfind(kMark); mark != std::string_view::npos;
       mark = mark == 0 ? std::string_view::npos : text.rfind(kMark, mark - 1)) {
    std::size_t at = mark + kMark.size();
    const std::size_t limit = std::min(text.size(), at + kPunctuationMax);
    while (at < limit && !is_digit(text[at])) ++at;
    const std::string_view digits = text.substr(at, kSealPlace.size());
    if (digits.size() == kSealPlace.size() && std::all_of(digits.begin(), digits.end(), is_digit))
      return at;
  }
  return std::string_view::npos;
}

}  // namespace

std::string sealed(std::string text) {
  const std::size_t at = find_digits(text);
  if (at == std::string::npos || std::string_view(text).substr(at, kSealPlace.size()) != kSealPlace)
    throw std::logic_error("a file without a place for its checksum");
  return text.replace(at, kSealPlace.size(), hash_hex(text));
}

std::string seal_problem(std::string_view text) {
  const std::size_t at = find_digits(text);
  if (at == std::string_view::npos) return "it has no checksum";
  std::string blank(text);
  const std::string stated = blank.substr(at, kSealPlace.size());
  blank.replace(at, kSealPlace.size(), kSealPlace);
  return hash_hex(blank) == stated ? "" : "its checksum does not fit: it was damaged or edited";
}

}  // namespace fusetune

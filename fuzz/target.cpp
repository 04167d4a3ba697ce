#include "fuzz/target.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <vector>

#include "harness/base/json.hpp"

namespace fusetune::fuzz {

void require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "FINDING: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

void require_place(std::string_view message, std::string_view file) {
  require(message.starts_with(file), "an error without its place: " + std::string(message));
}

void require_json_text(const std::string& text) {
  const Json back = Json::parse(text, nullptr, false);
  require(!back.is_discarded(), "JSON that does not parse: " + text);
  require(back.dump(2) == text, "JSON that changes when it is read back: " + text);
}

namespace {

/// Reads C++ as far as it takes to know what is a literal, a comment, or code.
class CppText {
 public:
  explicit CppText(std::string_view text) : text_(text) {}

  void check() {
    for (const char c : text_)
      require(c == '\n' || (c >= 0x20 && c < 0x7f), "a byte that is not printable ASCII");
    while (place_ < text_.size()) step();
    require(open_.empty(), "a bracket that is never closed");
  }

 private:
  char at(std::size_t place) const { return place < text_.size() ? text_[place] : '\0'; }

  void step() {
    const char c = text_[place_];
    if (c == '/' && at(place_ + 1) == '/') return comment();
    require(c != '/' || at(place_ + 1) != '*', "a comment over several lines");
    require(c != '?' || at(place_ + 1) != '?', "a trigraph");
    require(c != '\\', "a backslash outside of a literal");
    if (c == '"' || c == '\'') return literal(c);
    if (c == '(' || c == '[' || c == '{') open_.push_back(c);
    if (c == ')' || c == ']' || c == '}') {
      require(!open_.empty() && open_.back() == (c == ')'   ? '('
                                                 : c == ']' ? '['
                                                            : '{'),
              "brackets that do not match");
      open_.pop_back();
    }
    ++place_;
  }

  void comment() {
    const std::size_t end = std::min(text_.find('\n', place_), text_.size());
    require(text_[end - 1] != '\\', "a comment that goes on in the next line");
    place_ = end;
  }

  void literal(char quote) {
    // An apostrophe between digits separates them.
    for (++place_; at(place_) != quote; ++place_) {
      require(at(place_) != '\n' && at(place_) != '\0', "a literal that is not closed");
      if (at(place_) == '\\') ++place_;
    }
    ++place_;
  }

  std::string_view text_;
  std::size_t place_ = 0;
  std::vector<char> open_;
};

}  // namespace

void require_cpp(std::string_view text) { CppText(text).check(); }

}  // namespace fusetune::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    fusetune::fuzz::run({reinterpret_cast<const char*>(data), size});
  } catch (const std::exception& error) {
    fusetune::fuzz::require(false,
                            std::string("an exception that nobody expects: ") + error.what());
  }
  return 0;
}

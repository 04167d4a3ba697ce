#include "harness/import/placed_json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <utility>

namespace fusetune {

namespace {

constexpr std::size_t kLevelsMax = 64;

/// Lets the parser read and counts the lines that it has passed.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, int* line) : at_(at), line_(line) {}
  const char& operator*() const { return *at_; }
  CountingIterator& operator++() {
    if (*at_ == '\n') ++*line_;
    ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    const CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  int* line_;
};

/// The parser's events, made into a tree.
class TreeMaker {
 public:
  using number_integer_t = Json::number_integer_t;
  using number_unsigned_t = Json::number_unsigned_t;
  using number_float_t = Json::number_float_t;
  using string_t = Json::string_t;
  using binary_t = Json::binary_t;

  TreeMaker(std::string file, const int* line, std::size_t size)
      : file_(std::move(file)), line_(line), size_(size) {}

  // NOLINTBEGIN(readability-identifier-naming): the library's names
  bool null() { return add(Json()); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(number_integer_t value) { return add(value); }
  bool number_unsigned(number_unsigned_t value) { return add(value); }
  bool number_float(number_float_t value, const string_t& text) {
    if (!std::isfinite(value)) fail(*line_, fmt::format("'{}' is out of range", text));
    return add(value);
  }
  bool string(string_t& value) { return add(value); }
  bool binary(binary_t&) { return false; }
  bool start_object(std::size_t) { return open(PlacedJson::Kind::object); }
  bool start_array(std::size_t) { return open(PlacedJson::Kind::array); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(string_t& name) {
    if (open_.back().find(name) != nullptr)
      fail(*line_, fmt::format("'{}' is there twice", shown(name)));
    names_.back() = name;
    return true;
  }
  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::detail::exception&) {
    fail(*line_, position > size_ ? std::string("the text ends within a value")
                                  : fmt::format("no JSON at '{}'", shown(token)));
  }
  // NOLINTEND(readability-identifier-naming)

  PlacedJson take() { return std::move(root_); }

 private:
  static std::string shown(const std::string& text) {
    constexpr std::size_t kShown = 60;
    return Json(text.substr(0, kShown)).dump(-1, ' ', true, Json::error_handler_t::replace);
  }

  [[noreturn]] void fail(int line, const std::string& message) const {
    throw UserError(Mark{file_, line, 0}, message);
  }

  PlacedJson node(PlacedJson::Kind kind) const {
    PlacedJson one;
    one.kind = kind;
    one.file = file_;
    one.line = *line_;
    return one;
  }

  void put(PlacedJson&& one) {
    if (open_.empty()) {
      root_ = std::move(one);
    } else {
      open_.back().members.push_back({std::move(names_.back()), std::move(one)});
      names_.back().clear();
    }
  }

  template <class Value>
  bool add(const Value& value) {
    PlacedJson one = node(PlacedJson::Kind::scalar);
    one.scalar = value;
    put(std::move(one));
    return true;
  }

  bool open(PlacedJson::Kind kind) {
    if (open_.size() == kLevelsMax)
      fail(*line_, fmt::format("nested more than {} levels deep", kLevelsMax));
    open_.push_back(node(kind));
    names_.emplace_back();
    return true;
  }

  bool close() {
    PlacedJson one = std::move(open_.back());
    open_.pop_back();
    names_.pop_back();
    put(std::move(one));
    return true;
  }

  std::string file_;
  const int* line_;
  std::size_t size_;
  PlacedJson root_;
  std::vector<PlacedJson> open_;
  std::vector<std::string> names_;
};

}  // namespace

const PlacedJson* PlacedJson::find(std::string_view name) const {
  if (!is_object()) return nullptr;
  for (const auto& [known, value] : members)
    if (known == name) return &value;
  return nullptr;
}

const PlacedJson& PlacedJson::at(std::string_view name) const {
  if (!is_object()) fail("an object is expected");
  if (const PlacedJson* value = find(name)) return *value;
  fail(fmt::format("'{}' is not there", name));
}

const std::string& PlacedJson::string() const {
  if (!is_string()) fail("a text is expected");
  return *scalar.get_ptr<const std::string*>();
}

double PlacedJson::number() const {
  if (!is_number()) fail("a number is expected");
  return scalar.get<double>();
}

const std::vector<PlacedJson::Member>& PlacedJson::array() const {
  if (!is_array()) fail("a list is expected");
  return members;
}

Json PlacedJson::json() const {
  if (kind == Kind::scalar) return scalar;
  Json made = is_object() ? Json::object() : Json::array();
  for (const auto& [name, value] : members) {
    if (is_object())
      made[name] = value.json();
    else
      made.push_back(value.json());
  }
  return made;
}

void PlacedJson::fail(const std::string& message) const {
  throw UserError(Mark{file, line, 0}, message);
}

PlacedJson parse_placed_json(std::string_view text, const std::string& file, int first_line) {
  int line = first_line;
  TreeMaker maker(file, &line, text.size());
  Json::sax_parse(CountingIterator(text.data(), &line),
                  CountingIterator(text.data() + text.size(), &line), &maker);
  return maker.take();
}

}  // namespace fusetune

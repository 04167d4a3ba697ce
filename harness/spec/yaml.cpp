#include "harness/spec/yaml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "harness/base/files.hpp"
#include "harness/spec/yaml_parser.hpp"

namespace fusetune {

namespace {

std::string describe(const YamlNode::Impl& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "nothing";
    case YamlNode::Kind::scalar:
      return node.plain ? fmt::format("'{}'", node.text)
                        : fmt::format("the text \"{}\"", node.text);
    case YamlNode::Kind::sequence:
      return "a list";
    case YamlNode::Kind::map:
      return "a map";
  }
  return "";
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

/// Cuts decimal digits without a leading zero off the front; false when there are none.
bool take_whole(std::string_view& text) {
  const std::size_t length = std::min(text.find_first_not_of("0123456789"), text.size());
  if (length == 0 || (length > 1 && text.front() == '0')) return false;
  text.remove_prefix(length);
  return true;
}

/// Why something that looks like a number is not taken as one; "" when it does not.
std::string number_hint(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('-') || digits.starts_with('+')) digits.remove_prefix(1);
  if (digits.empty() || digits.front() < '0' || digits.front() > '9') return "";
  if (digits.find('_') != digits.npos) return " (without underscores)";
  if (digits.starts_with("0x") || digits.starts_with("0X") || digits.starts_with("0b") ||
      digits.starts_with("0o"))
    return " (decimal only)";
  if (text.starts_with('+')) return " (without '+')";
  if (is_digits(digits) && digits.size() > 1 && digits.front() == '0')
    return " (without leading zeros)";
  return "";
}

/// -12.5e3: what every language reads alike.
bool is_decimal(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (!take_whole(text)) return false;
  if (text.starts_with('.')) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789", 1), text.size());
    if (end == 1) return false;
    text.remove_prefix(end);
  }
  if (!text.starts_with('e') && !text.starts_with('E')) return text.empty();
  text.remove_prefix(1);
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return is_digits(text);
}

}  // namespace

YamlNode::YamlNode(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

YamlNode YamlNode::load(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    throw UserError(fmt::format("cannot read {}: it is no file", path.string()));
  return parse(read_file(path), display_path(path));
}

YamlNode YamlNode::parse(std::string_view text, const std::string& name) {
  auto root = parse_yaml(text, name);
  if (!root || root->kind == Kind::null) throw UserError(Mark{name, 1, 1}, "the file is empty");
  return YamlNode(std::move(root));
}

YamlNode::Kind YamlNode::kind() const { return impl_->kind; }
const Mark& YamlNode::mark() const { return impl_->mark; }

std::vector<std::pair<YamlNode, YamlNode>> YamlNode::entries() const {
  if (!is_map()) fail("expected a map, found " + describe(*impl_));
  std::vector<std::pair<YamlNode, YamlNode>> pairs;
  for (std::size_t i = 0; i + 1 < impl_->children.size(); i += 2)
    pairs.emplace_back(YamlNode(impl_->children[i]), YamlNode(impl_->children[i + 1]));
  return pairs;
}

std::vector<YamlNode> YamlNode::items() const {
  if (is_scalar()) return {*this};
  if (!is_sequence()) fail("expected a list, found " + describe(*impl_));
  std::vector<YamlNode> nodes;
  for (const auto& child : impl_->children) nodes.push_back(YamlNode(child));
  return nodes;
}

std::optional<YamlNode> YamlNode::find(std::string_view key) const {
  if (!is_map()) fail("expected a map, found " + describe(*impl_));
  for (std::size_t i = 0; i + 1 < impl_->children.size(); i += 2)
    if (impl_->children[i]->text == key) return YamlNode(impl_->children[i + 1]);
  return std::nullopt;
}

YamlNode YamlNode::at(std::string_view key) const {
  if (auto child = find(key)) return *child;
  fail(fmt::format("the key '{}' is required here", key));
}

void YamlNode::allow_keys(const std::vector<std::string>& allowed, std::string_view what) const {
  for (const auto& [key, value] : entries()) {
    const std::string& name = key.impl_->text;
    if (std::find(allowed.begin(), allowed.end(), name) == allowed.end())
      key.fail(unknown_name(what, name, allowed));
  }
}

std::string YamlNode::as_string() const {
  if (!is_scalar()) fail("expected text, found " + describe(*impl_));
  return impl_->text;
}

std::int64_t YamlNode::as_int() const {
  const std::string& text = impl_->text;
  std::string_view rest = text;
  if (rest.starts_with('-') && rest != "-0") rest.remove_prefix(1);
  if (!is_scalar() || !impl_->plain || !take_whole(rest) || !rest.empty())
    fail("expected an integer" + number_hint(text) + ", found " + describe(*impl_));
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) fail(fmt::format("the integer {} does not fit in 64 bits", text));
  return value;
}

double YamlNode::as_double() const {
  const std::string& text = impl_->text;
  if (!is_scalar() || !impl_->plain || !is_decimal(text))
    fail("expected a finite decimal number" + number_hint(text) + ", found " + describe(*impl_));
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !std::isfinite(value))
    fail(fmt::format("the number {} is out of the range of a double", text));
  return value;
}

bool YamlNode::as_bool() const {
  if (is_scalar() && impl_->plain && (impl_->text == "true" || impl_->text == "false"))
    return impl_->text == "true";
  fail("expected true or false, found " + describe(*impl_));
}

Json YamlNode::as_json(std::string_view what) const {
  Json json = Json::parse(as_string(), nullptr, false);
  if (json.is_discarded()) fail(fmt::format("{} are not JSON", what));
  return json;
}

std::string YamlNode::as_one_of(const std::vector<std::string>& names,
                                std::string_view what) const {
  if (!is_scalar())
    fail(fmt::format("expected the name of a {}, found {}", what, describe(*impl_)));
  if (std::find(names.begin(), names.end(), impl_->text) == names.end())
    fail(unknown_name(what, impl_->text, names));
  return impl_->text;
}

void YamlNode::fail(const std::string& message) const { throw UserError(impl_->mark, message); }

}  // namespace fusetune

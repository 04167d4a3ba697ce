// From yaml-cpp's events to nodes. Its own document tree drops the places of keys, keeps duplicate
// keys and resolves aliases, so it is not used.

#include "harness/spec/yaml_parser.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>

namespace fusetune {

namespace {

using Impl = YamlNode::Impl;
using Kind = YamlNode::Kind;

/// Bounds far above any file that a person wrote: a wrong file fails fast and in words.
constexpr std::size_t text_size_max = 1 << 20;
constexpr std::size_t depth_max = 64;

constexpr std::size_t npos = std::string_view::npos;
constexpr const char* alias_message = "aliases (*name) are not supported; repeat the value";

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  const std::shared_ptr<Impl>& root() const { return root_; }
  Mark place(const YAML::Mark& mark) const { return {name_, mark.line + 1, mark.column + 1}; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (root_) throw UserError(place(mark), "a second document; one file holds one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse(mark, "", anchor);
    auto node = make(Kind::null, mark);
    // A value that was left out has the place of whatever follows; its key's says more.
    if (const Impl* key = pending_key()) {
      if (after_scalar_ != npos && next_character(after_scalar_) != ':')
        throw UserError(key->mark, fmt::format("expected ':' after '{}'", key->text));
      node->mark = key->mark;
    }
    add(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw UserError(place(mark), alias_message);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse(mark, tag, anchor);
    auto node = make(Kind::scalar, mark);
    node->plain = tag != "!";
    node->text = value;
    const auto position = static_cast<std::size_t>(mark.pos);
    const bool quoted = !node->plain && position < text_.size() &&
                        (text_[position] == '"' || text_[position] == '\'');
    if (quoted) ++node->mark.column;
    after_scalar_ = node->plain ? position + value.size() : npos;
    add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { open_.pop_back(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override {
    check_keys(*open_.back());
    open_.pop_back();
  }

 private:
  std::shared_ptr<Impl> make(Kind kind, const YAML::Mark& mark) const {
    auto node = std::make_shared<Impl>();
    node->kind = kind;
    node->mark = place(mark);
    return node;
  }

  /// The key whose value comes next; nullptr when none is awaited.
  const Impl* pending_key() const {
    if (open_.empty() || open_.back()->kind != Kind::map) return nullptr;
    const auto& children = open_.back()->children;
    return children.size() % 2 == 1 ? children.back().get() : nullptr;
  }

  char next_character(std::size_t position) const {
    const std::size_t next = text_.find_first_not_of(" \t\r\n", position);
    return next == npos ? '\0' : text_[next];
  }

  void add(std::shared_ptr<Impl> node) {
    if (open_.empty())
      root_ = std::move(node);
    else
      open_.back()->children.push_back(std::move(node));
  }

  void open(Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    refuse(mark, tag, anchor);
    if (open_.size() == depth_max)
      throw UserError(place(mark), fmt::format("nested more than {} levels deep", depth_max));
    auto node = make(kind, mark);
    add(node);
    open_.push_back(std::move(node));
  }

  /// Plain nodes have the tag "?" or none, quoted ones "!"; anything else was written by hand.
  void refuse(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) const {
    if (anchor != 0) throw UserError(place(mark), "anchors (&name) are not supported");
    if (!tag.empty() && tag != "?" && tag != "!")
      throw UserError(
          place(mark),
          fmt::format("tags ({}) are not supported; quote a text that begins with '!'", tag));
  }

  static void check_keys(const Impl& map) {
    std::map<std::string_view, const Impl*> seen;
    for (std::size_t i = 0; i < map.children.size(); i += 2) {
      const Impl& key = *map.children[i];
      if (key.kind == Kind::null && i + 1 < map.children.size())
        throw UserError(key.mark, "a key is missing before ':'");
      if (key.kind != Kind::scalar) throw UserError(key.mark, "a key must be a word or a number");
      if (key.text == "<<" && key.plain)
        throw UserError(key.mark, "merge keys (<<) are not supported; repeat the values");
      const auto [first, inserted] = seen.emplace(key.text, &key);
      if (!inserted)
        throw UserError(key.mark, fmt::format("duplicate key '{}'; it is already on line {}",
                                              key.text, first->second->mark.line));
    }
  }

  std::string_view text_;
  const std::string& name_;
  std::shared_ptr<Impl> root_;
  std::vector<std::shared_ptr<Impl>> open_;
  std::size_t after_scalar_ = npos;  ///< behind the last scalar, when that is plain
};

/// The length of the UTF-8 character at the front, 0 when it is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t length = byte(0) < 0x80                       ? 1
                             : byte(0) >= 0xC2 && byte(0) < 0xE0  ? 2
                             : byte(0) >= 0xE0 && byte(0) < 0xF0  ? 3
                             : byte(0) >= 0xF0 && byte(0) <= 0xF4 ? 4
                                                                  : 0;
  if (length > text.size()) return 0;
  // Overlong forms, surrogates and what lies beyond Unicode differ in the second byte.
  if (byte(0) == 0xE0 && byte(1) < 0xA0) return 0;
  if (byte(0) == 0xED && byte(1) > 0x9F) return 0;
  if (byte(0) == 0xF0 && byte(1) < 0x90) return 0;
  if (byte(0) == 0xF4 && byte(1) > 0x8F) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  return length;
}

/// What yaml-cpp would take in silence or report badly: binary files and tabs as indentation.
void check_characters(std::string_view text, const std::string& name) {
  Mark mark{name, 1, 1};
  bool indentation = true;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const std::size_t length = utf8_length(text.substr(i));
    const bool control =
        length == 1 && static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
    if (length == 0 || control || c == 0x7F)
      throw UserError(mark, fmt::format("byte 0x{:02x} is no text; YAML files are UTF-8",
                                        static_cast<unsigned char>(c)));
    if (c == '\t' && indentation) throw UserError(mark, "a tab as indentation; use spaces");
    indentation = c == '\n' || (indentation && c == ' ');
    mark = c == '\n' ? Mark{name, mark.line + 1, 1}
                     : Mark{name, mark.line, mark.column + static_cast<int>(length)};
    i += length;
  }
}

/// yaml-cpp's message with what the writer most likely did.
std::string explain(const std::string& message) {
  if (message.starts_with("the referenced anchor is not defined")) return alias_message;
  std::string text = "not valid YAML: " + message;
  if (message == "illegal map value")
    text += " (a ':' where none can be; quote a text that holds ': ', or check the indentation)";
  if (message == "unknown token") text += " (quote a text that begins with this character)";
  return text;
}

}  // namespace

std::shared_ptr<const Impl> parse_yaml(std::string_view text, const std::string& name) {
  if (text.size() > text_size_max)
    throw UserError(Mark{name, 0, 0}, fmt::format("larger than {} bytes", text_size_max));
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  check_characters(text, name);
  TreeBuilder builder(text, name);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    const bool placed = !error.mark.is_null();
    throw UserError(placed ? builder.place(error.mark) : Mark{name, 0, 0}, explain(error.msg));
  }
  return builder.root();
}

}  // namespace fusetune

#include "harness/spec/family_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/spec/keys.hpp"

namespace fusetune {

namespace {

const std::set<std::string>& reserved_names() {
  static const std::set<std::string> names = {
      "abs", "align_bytes", "align_up", "bytes", "ceil_div",   "false", "floor_div",      "gcd",
      "has", "is_pow2",     "max",      "min",   "row_stride", "true",  "implementation", "tp"};
  return names;
}

std::vector<std::string> dtype_names() {
  std::vector<std::string> names;
  for (const DType dtype : all_dtypes()) names.emplace_back(to_string(dtype));
  return names;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

template <typename List>
void require_new(const List& list, const typename List::value_type& value, const YamlNode& node) {
  if (std::find(list.begin(), list.end(), value) != list.end()) node.fail("listed twice");
}

}  // namespace

bool holds_integers(DType dtype) {
  return dtype == DType::i32 || dtype == DType::i64 || dtype == DType::u8;
}

void require_identifier(const YamlNode& node, std::string_view what) {
  const std::string text = node.as_string();
  const bool good = !text.empty() && text[0] >= 'a' && text[0] <= 'z' &&
                    std::all_of(text.begin(), text.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
                    });
  if (!good)
    node.fail(
        fmt::format("'{}' is no name for {}: lower-case letters, digits and underscores, "
                    "beginning with a letter",
                    text, what));
}

void FamilyReader::read() {
  root_.allow_keys(family_keys().at("family"), "key of a family");
  const YamlNode name = root_.at("family");
  require_identifier(name, "a family");
  family_.name = name.as_string();
  if (const auto summary = root_.find("summary")) family_.summary = summary->as_string();
  family_.reference = root_.at("reference").as_string();
  declare_symbols();
  declare_options();
  declare_dtypes();
  declare_tensors();
  declare_scalars();
  declare_axes();
  names_ = vocabulary_of(family_);
  read_derived();
  check_macro_names();
  const YamlNode symbols = root_.at("symbols");
  for (SymbolDecl& symbol : family_.symbols) read_symbol(symbol, symbols.at(symbol.name));
  for (OptionDecl& option : family_.options) {
    const YamlNode node = root_.at("options").at(option.name);
    if (const auto when = node.find("when"))
      option.when = names_.parse_bool(*when, reach::geometry, "an option's condition");
  }
  for (TensorDecl& tensor : family_.tensors)
    read_tensor(tensor, root_.at("tensors").at(tensor.name));
  check_tensors();
  read_proof_calls();
  read_rows();
  read_rules();
  read_implementations();
  check_header_names();
  read_golden();
  read_captured();
}

void FamilyReader::claim(const YamlNode& key, std::string_view what) {
  require_identifier(key, what);
  const std::string name = key.as_string();
  if (reserved_names().count(name) != 0) key.fail(fmt::format("'{}' is a reserved word", name));
  // Keys of cases use these prefixes.
  if (name.starts_with("align_") || name.starts_with("stride_"))
    key.fail(fmt::format("'{}': names cannot begin with align_ or stride_", name));
  const auto [other, added] = claimed_.emplace(name, what);
  if (!added) key.fail(fmt::format("'{}' is declared as {} already", name, other->second));
}

std::vector<std::pair<YamlNode, YamlNode>> FamilyReader::declared(std::string_view section,
                                                                  std::string_view what) {
  const auto node = root_.find(section);
  if (!node) return {};
  auto entries = node->entries();
  for (const auto& [key, value] : entries) claim(key, what);
  return entries;
}

void FamilyReader::declare_symbols() {
  root_.at("symbols");
  for (const auto& [key, node] : declared("symbols", "a symbol")) {
    node.allow_keys(family_keys().at("symbol"), "key of a symbol");
    SymbolDecl symbol;
    symbol.name = key.as_string();
    symbol.is_static = node.at("kind").as_one_of({"runtime", "static"}, "kind") == "static";
    symbol.mark = key.mark();
    if (!symbol.is_static) arguments_[symbol.name] = "a runtime symbol";
    family_.symbols.push_back(std::move(symbol));
  }
}

void FamilyReader::declare_options() {
  for (const auto& [key, node] : declared("options", "an option")) {
    node.allow_keys(family_keys().at("option"), "key of an option");
    OptionDecl option;
    option.name = key.as_string();
    option.mark = key.mark();
    for (const YamlNode& value : node.at("values").items()) {
      require_identifier(value, "an option's value");
      require_new(option.values, value.as_string(), value);
      option.values.push_back(value.as_string());
    }
    if (option.values.empty()) node.fail("an option needs at least one value");
    if (const auto from = node.find("from_model")) {
      require_identifier(*from, "a model's attribute");
      option.from_model = from->as_string();
    }
    family_.options.push_back(std::move(option));
  }
}

void FamilyReader::declare_dtypes() {
  for (const auto& [key, node] : declared("dtypes", "a dtype")) {
    node.allow_keys(family_keys().at("dtype"), "key of a dtype");
    DTypeDecl dtype;
    dtype.name = key.as_string();
    dtype.mark = key.mark();
    for (const YamlNode& value : node.at("values").items()) {
      const DType type = *dtype_from_string(value.as_one_of(dtype_names(), "element type"));
      require_new(dtype.values, type, value);
      dtype.values.push_back(type);
    }
    if (dtype.values.empty()) node.fail("a dtype needs at least one value");
    if (const auto same = node.find("same_as")) {
      std::vector<std::string> earlier;
      for (const DTypeDecl& other : family_.dtypes) earlier.push_back(other.name);
      dtype.same_as = same->as_one_of(earlier, "dtype declared before");
    }
    family_.dtypes.push_back(std::move(dtype));
  }
}

void FamilyReader::declare_scalars() {
  for (const auto& [key, node] : declared("scalars", "a scalar")) {
    node.allow_keys(family_keys().at("scalar"), "key of a scalar");
    ScalarDecl scalar;
    scalar.name = key.as_string();
    scalar.mark = key.mark();
    const std::string type = node.at("type").as_one_of({"f32", "i32", "i64"}, "scalar type");
    scalar.type = type == "f32"   ? ScalarDecl::Type::f32
                  : type == "i32" ? ScalarDecl::Type::i32
                                  : ScalarDecl::Type::i64;
    if (const auto value = node.find("default"))
      scalar.default_value = parse_scalar(*value, scalar.type);
    const auto [other, added] = arguments_.emplace(scalar.name, "a scalar");
    if (!added) key.fail(fmt::format("'{}' is {} already", scalar.name, other->second));
    family_.scalars.push_back(std::move(scalar));
  }
}

void FamilyReader::declare_axes() {
  root_.at("axes");
  for (const auto& [key, node] : declared("axes", "an axis")) {
    node.allow_keys(family_keys().at("axis"), "key of an axis");
    AxisDecl axis;
    axis.name = key.as_string();
    axis.mark = key.mark();
    for (const YamlNode& item : node.at("values").items()) {
      const Value value = parse_value(item);
      if (std::holds_alternative<Enum>(value)) require_identifier(item, "an axis' value");
      require_new(axis.values, value, item);
      if (!axis.values.empty() && axis.values.front().index() != value.index())
        item.fail("the values of an axis are all integers or all words");
      axis.values.push_back(value);
    }
    if (axis.values.empty()) node.fail("an axis needs at least one value");
    if (const auto range = node.find("range")) {
      const auto ends = range->items();
      if (ends.size() != 2 || std::holds_alternative<Enum>(axis.values.front()))
        range->fail("range is [least, greatest] of an axis of integers");
      axis.range = {ends[0].as_int(), ends[1].as_int()};
      if (axis.range->first > axis.range->second) range->fail("range is [least, greatest]");
    }
    family_.axes.push_back(std::move(axis));
  }
}

void FamilyReader::check_macro_names() const {
  std::map<std::string, std::string> macros = {{"WAVE_SIZE", "the target"}};
  const auto add = [&](const std::string& macro, const std::string& owner, const Mark& mark) {
    const auto [other, added] = macros.emplace(upper(macro), owner);
    if (!added)
      throw UserError(mark, fmt::format("macro FT_{} would stand for {} and for {}", upper(macro),
                                        other->second, owner));
  };
  for (const SymbolDecl& symbol : family_.symbols)
    if (symbol.is_static) add(symbol.name, "symbol " + symbol.name, symbol.mark);
  for (const OptionDecl& option : family_.options) {
    add(option.name, "option " + option.name, option.mark);
    for (const std::string& value : option.values)
      add(option.name + "_" + value, option.name + "=" + value, option.mark);
  }
  for (const DTypeDecl& dtype : family_.dtypes)
    add("bytes_" + dtype.name, "dtype " + dtype.name, dtype.mark);
  for (const TensorDecl& tensor : family_.tensors) {
    add("has_" + tensor.name, "tensor " + tensor.name, tensor.mark);
    add("align_" + tensor.name, "tensor " + tensor.name, tensor.mark);
  }
  for (const AxisDecl& axis : family_.axes) {
    add(axis.name, "axis " + axis.name, axis.mark);
    for (const Value& value : axis.values)
      if (std::holds_alternative<Enum>(value))
        add(axis.name + "_" + to_string(value), axis.name + "=" + to_string(value), axis.mark);
  }
  for (const auto& [name, expr] : family_.derived) add(name, "derived symbol " + name, {});
}

namespace {

/// Names that the generated header puts into one scope of C++.
class HeaderScope {
 public:
  void add(const std::string& name, const Mark& mark) {
    const std::string identifier = cpp_identifier(name);
    const auto [other, added] = names_.emplace(identifier, name);
    if (!added)
      throw UserError(mark, fmt::format("'{}' would be {} in the generated header, and so is '{}'",
                                        name, identifier, other->second));
  }
  void add_words(const std::vector<Value>& values, const Mark& mark) {
    for (const Value& value : values)
      if (std::holds_alternative<Enum>(value)) add(to_string(value), mark);
  }

 private:
  std::map<std::string, std::string> names_;
};

}  // namespace

// Said here and not by the header: that is written when everything has been measured.
void FamilyReader::check_header_names() const {
  HeaderScope query;
  for (const char* field : {"architecture", "device"}) query.add(field, {});
  for (const OptionDecl& option : family_.options) {
    query.add(option.name, option.mark);
    HeaderScope values;
    for (const std::string& value : option.values) values.add(value, option.mark);
  }
  for (const SymbolDecl& symbol : family_.symbols) query.add(symbol.name, symbol.mark);
  for (const DTypeDecl& dtype : family_.dtypes) query.add("dtype_" + dtype.name, dtype.mark);
  for (const TensorDecl& tensor : family_.tensors) {
    query.add("align_bytes(" + tensor.name + ")", tensor.mark);
    if (tensor.runtime_row_stride) query.add("row_stride(" + tensor.name + ")", tensor.mark);
  }
  HeaderScope axes;
  for (const AxisDecl& axis : family_.axes) {
    axes.add(axis.name, axis.mark);
    HeaderScope().add_words(axis.values, axis.mark);
  }
  HeaderScope implementations;
  for (const ImplementationDecl& one : family_.implementations)
    implementations.add(one.name, one.mark);
}

}  // namespace fusetune

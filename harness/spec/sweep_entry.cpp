#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "harness/spec/keys.hpp"
#include "harness/spec/sweep_reader.hpp"
#include "harness/spec/variant_facts.hpp"

namespace fusetune {

namespace {

std::shared_ptr<const Family> read_family(const YamlNode& node,
                                          const std::filesystem::path& directory) {
  const std::string name = node.as_string();
  if (name.ends_with(".yaml")) return load_family(directory / name);
  return find_family(node.as_one_of(family_names(), "family"));
}

/// Adds a value that is not there yet.
template <typename T>
void add_new(std::vector<T>& list, T value, const YamlNode& node) {
  if (std::find(list.begin(), list.end(), value) != list.end()) node.fail("listed twice");
  list.push_back(std::move(value));
}

}  // namespace

SweepEntryReader::SweepEntryReader(const YamlNode& node, const std::filesystem::path& directory)
    : node_(node) {
  entry_.mark = node.mark();
  entry_.family = read_family(node.at("family"), directory);
  names_ = vocabulary_of(*entry_.family);
}

SweepEntry SweepEntryReader::read() {
  std::vector<std::string> keys = sweep_keys().at("entry");
  keys.push_back(entry_.family->rows);
  node_.allow_keys(keys, "key of a sweep's entry");
  read_models();
  read_symbols();
  read_options();
  read_dtypes();
  read_rows();
  read_runtime();
  read_strides();
  read_base_align();
  read_scalars();
  read_cosine();
  read_batch_invariant();
  read_axes();
  if (const auto filters = node_.find("filter"))
    for (const YamlNode& item : filters->items())
      entry_.filters.push_back(parse_rule(item, names_, reach::of_variant, "a filter"));
  if (const auto require = node_.find("require"))
    for (const YamlNode& item : require->items())
      entry_.require.push_back(
          parse_rule(item, with_facts(names_), reach::of_requirement, "a requirement"));
  if (const auto list = node_.find("implementations"))
    for (const YamlNode& item : list->items())
      add_new(entry_.implementations,
              item.as_one_of(names_of(entry_.family->implementations), "implementation"), item);
  if (const auto space = node_.find("space"))
    entry_.space = parse_space(space->as_string(), space->mark());
  return std::move(entry_);
}

std::vector<std::pair<std::string, YamlNode>> SweepEntryReader::chosen(
    std::string_view key, const std::vector<std::string>& names, std::string_view what) const {
  std::vector<std::pair<std::string, YamlNode>> list;
  if (const auto map = node_.find(key))
    for (const auto& [name, value] : map->entries())
      list.emplace_back(name.as_one_of(names, what), value);
  return list;
}

void SweepEntryReader::read_models() {
  const auto models = node_.find("models");
  if (!models) return;
  for (const YamlNode& item : models->items()) {
    const std::string selector = item.as_string();
    const std::size_t at = selector.find('@');
    if (at != std::string::npos && !parse_split(selector.substr(at + 1)))
      item.fail(fmt::format("'{}' is no model split; write name@tpN, name or all", selector));
    add_new(entry_.models, selector, item);
    entry_.model_marks.push_back(item.mark());
  }
}

void SweepEntryReader::read_symbols() {
  const auto symbols = node_.find("symbols");
  if (!symbols) return;
  if (!symbols->is_sequence()) symbols->fail("symbols is a list of maps, one for each geometry");
  for (const YamlNode& item : symbols->items()) {
    Bindings values;
    for (const auto& [name, value] : item.entries())
      values[name.as_one_of(entry_.family->static_symbols(), "static symbol")] = value.as_int();
    add_new(entry_.symbols, std::move(values), item);
    entry_.symbol_marks.push_back(item.mark());
  }
}

void SweepEntryReader::read_options() {
  for (const auto& [name, node] : chosen("options", names_of(entry_.family->options), "option")) {
    const OptionDecl& option = *entry_.family->find_option(name);
    for (const YamlNode& item : node.items())
      add_new(entry_.options[name], item.as_one_of(option.values, "value of option " + name), item);
  }
}

void SweepEntryReader::read_dtypes() {
  for (const auto& [name, node] : chosen("dtypes", names_of(entry_.family->dtypes), "dtype")) {
    std::vector<std::string> known;
    for (const DType dtype : entry_.family->find_dtype(name)->values)
      known.emplace_back(to_string(dtype));
    for (const YamlNode& item : node.items())
      add_new(entry_.dtypes[name],
              *dtype_from_string(item.as_one_of(known, "element type of " + name)), item);
  }
}

void SweepEntryReader::read_rows() {
  const auto rows = node_.find(entry_.family->rows);
  if (!rows) return;
  double total = 0;
  const auto add = [&](const YamlNode& count, double weight) {
    const std::int64_t value = count.as_int();
    if (value < 0) count.fail("a row count is 0 or more");
    for (const auto& [known, other] : entry_.tokens)
      if (known == value) count.fail("listed twice");
    entry_.tokens.emplace_back(value, weight);
    total += weight;
  };
  if (rows->is_map()) {
    for (const auto& [count, node] : rows->entries()) {
      const double weight = node.as_double();
      if (!std::isfinite(weight) || weight < 0) node.fail("a weight is a number from 0 up");
      add(count, weight);
    }
  } else {
    for (const YamlNode& count : rows->items()) add(count, 1);
  }
  if (entry_.tokens.empty()) rows->fail("list at least one row count");
  if (!std::isfinite(total) || total <= 0) rows->fail("the weights add up to nothing");
}

void SweepEntryReader::read_runtime() {
  std::vector<std::string> others = entry_.family->runtime_symbols();
  std::erase(others, entry_.family->rows);
  for (const auto& [name, node] : chosen("runtime", others, "runtime symbol"))
    for (const YamlNode& item : node.items())
      entry_.runtime[name].push_back(
          names_.parse_int(item, reach::of_shape | reach::runtime, "a runtime value"));
}

void SweepEntryReader::read_strides() {
  std::vector<std::string> tensors;
  for (const TensorDecl& tensor : entry_.family->tensors)
    if (tensor.runtime_row_stride) tensors.push_back(tensor.name);
  for (const auto& [name, node] : chosen("strides", tensors, "tensor with a runtime row stride")) {
    std::vector<std::string> inner;
    const auto& shape = entry_.family->find_tensor(name)->shape;
    for (std::size_t i = 1; i < shape.size(); ++i) inner.push_back("(" + shape[i].text() + ")");
    const std::string dense = inner.empty() ? "1" : fmt::format("{}", fmt::join(inner, " * "));
    for (const YamlNode& item : node.items())
      entry_.row_strides[name].push_back(
          item.as_string() == "dense" ? names_.parse_text(dense)
                                      : names_.parse_int(item, reach::of_shape, "a row stride"));
  }
}

void SweepEntryReader::read_base_align() {
  for (const auto& [name, node] :
       chosen("base_align_bytes", names_of(entry_.family->tensors), "tensor")) {
    const std::int64_t bytes = node.as_int();
    if (bytes < 1 || (bytes & (bytes - 1)) != 0) node.fail("an alignment is a power of two");
    entry_.base_align_bytes[name] = bytes;
  }
}

void SweepEntryReader::read_scalars() {
  for (const auto& [name, node] : chosen("scalars", names_of(entry_.family->scalars), "scalar")) {
    const auto& decls = entry_.family->scalars;
    const ScalarDecl& scalar =
        *std::find_if(decls.begin(), decls.end(),
                      [&name = name](const ScalarDecl& decl) { return decl.name == name; });
    for (const YamlNode& item : node.items())
      add_new(entry_.scalars[name], parse_scalar(item, scalar.type), item);
    if (entry_.scalars[name].empty()) node.fail("list at least one value");
  }
}

void SweepEntryReader::read_cosine() {
  const auto cosine = node_.find("cosine");
  if (!cosine) return;
  entry_.cosine_min = cosine->as_double();
  if (entry_.cosine_min <= 0 || entry_.cosine_min > 1)
    cosine->fail("a cosine lies above 0 and is at most 1");
}

void SweepEntryReader::read_batch_invariant() {
  if (const auto asked = node_.find("batch_invariant")) entry_.batch_invariant = asked->as_bool();
}

void SweepEntryReader::read_axes() {
  for (const auto& [name, node] : chosen("axes", names_of(entry_.family->axes), "axis")) {
    const AxisDecl& axis = *entry_.family->find_axis(name);
    for (const YamlNode& item : node.items()) {
      const Value value = parse_value(item);
      require_axis_value(axis, value, item.mark());
      add_new(entry_.axes[name], value, item);
    }
    if (entry_.axes[name].empty()) node.fail("list at least one value");
  }
}

}  // namespace fusetune

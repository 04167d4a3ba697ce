#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "harness/spec/family_vocabulary.hpp"
#include "harness/spec/geometry_parts.hpp"

namespace fusetune {

namespace {

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::int64_t parse_number(const std::string& name, const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || std::to_string(number) != text)
    throw UserError(fmt::format("{}: '{}' is no integer", name, text));
  return number;
}

Value parse_word_or_number(const std::string& name, const std::string& text) {
  const bool number = text[0] == '-' || (text[0] >= '0' && text[0] <= '9');
  if (number) return parse_number(name, text);
  return Enum{text};
}

std::vector<std::string> key_names(const Family& family, bool with_runtime) {
  std::vector<std::string> names;
  for (const SymbolDecl& symbol : family.symbols)
    if (symbol.is_static || with_runtime) names.push_back(symbol.name);
  for (const OptionDecl& option : family.options) names.push_back(option.name);
  for (const DTypeDecl& dtype : family.dtypes) names.push_back(dtype.name);
  for (const TensorDecl& tensor : family.tensors) names.push_back("align_" + tensor.name);
  for (const TensorDecl& tensor : family.tensors)
    if (tensor.runtime_row_stride && with_runtime) names.push_back("stride_" + tensor.name);
  for (const ScalarDecl& scalar : family.scalars)
    if (with_runtime) names.push_back(scalar.name);
  return names;
}

/// A key taken apart; alignment classes apart from what decides them.
struct KeyRequest {
  CaseRequest request;
  std::map<std::string, std::int64_t> align_bytes;
};

void take_part(const std::string& name, const std::string& text, bool with_runtime,
               KeyRequest& parsed) {
  CaseRequest& request = parsed.request;
  const Family& family = *request.family;
  const SymbolDecl* symbol = family.find_symbol(name);
  if (symbol != nullptr && !symbol->is_static && !with_runtime)
    throw UserError(
        fmt::format("'{}' is a runtime symbol: this is the key of a case, not of a "
                    "geometry",
                    name));
  const std::vector<std::string> known = key_names(family, with_runtime);
  if (std::find(known.begin(), known.end(), name) == known.end())
    throw UserError(unknown_name("name in a key of " + family.name, name, known));
  if (symbol != nullptr) {
    (symbol->is_static ? request.statics : request.runtime)[name] = parse_number(name, text);
  } else if (family.find_option(name) != nullptr) {
    request.statics[name] = Enum{text};
  } else if (family.find_dtype(name) != nullptr) {
    const auto dtype = dtype_from_string(text);
    if (!dtype) {
      std::vector<std::string> names;
      for (const DType one : family.find_dtype(name)->values) names.emplace_back(to_string(one));
      throw UserError(unknown_name("element type of " + name, text, names));
    }
    request.dtypes[name] = *dtype;
  } else if (const auto scalar =
                 std::find_if(family.scalars.begin(), family.scalars.end(),
                              [&](const ScalarDecl& one) { return one.name == name; });
             scalar != family.scalars.end()) {
    request.scalars[name] = scalar_from_text(*scalar, text);
  } else if (name.starts_with("align_")) {
    parsed.align_bytes[name.substr(6)] = parse_number(name, text);
  } else {
    request.row_strides[name.substr(7)] = parse_number(name, text);
  }
}

KeyRequest parse_key(std::string_view key, bool with_runtime) {
  std::string name;
  const auto parts = split_key(key, &name);
  KeyRequest parsed;
  parsed.request.family = find_family(name);
  for (const auto& [part, text] : parts) take_part(part, text, with_runtime, parsed);
  return parsed;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> split_key(std::string_view key,
                                                           std::string* name) {
  std::string_view body = trim(key);
  if (name != nullptr) {
    const std::size_t open = body.find('(');
    if (open == std::string_view::npos || !body.ends_with(')'))
      throw UserError(fmt::format("'{}' is no key; write family(name=value,...)", key));
    *name = trim(body.substr(0, open));
    body = trim(body.substr(open + 1, body.size() - open - 2));
  }
  std::vector<std::pair<std::string, std::string>> parts;
  std::set<std::string> seen;
  while (!body.empty()) {
    const std::size_t comma = body.find(',');
    const std::string_view pair = trim(body.substr(0, comma));
    const std::size_t equals = pair.find('=');
    const std::string left(trim(pair.substr(0, equals)));
    const std::string right(equals == std::string_view::npos ? "" : trim(pair.substr(equals + 1)));
    if (left.empty() || right.empty())
      throw UserError(fmt::format("'{}' in key '{}' is no name=value", pair, key));
    if (!seen.insert(left).second)
      throw UserError(fmt::format("'{}' stands twice in key '{}'", left, key));
    parts.emplace_back(left, right);
    if (comma == std::string_view::npos) break;
    body = trim(body.substr(comma + 1));
    if (body.empty()) throw UserError(fmt::format("key '{}' ends with a comma", key));
  }
  return parts;
}

Case parse_case_key(std::string_view key) {
  KeyRequest parsed = parse_key(key, true);
  const Family& family = *parsed.request.family;
  for (const auto& [name, align] : parsed.align_bytes) {
    const auto& dtypes = make_static_part(parsed.request).geometry.dtypes;
    const std::int64_t element = size_bytes(dtypes.at(family.find_tensor(name)->dtype));
    parsed.request.base_align_bytes[name] = std::max(align, element);
  }
  const Case which = make_case(parsed.request);
  for (const auto& [name, align] : parsed.align_bytes)
    if (which.geometry.align_bytes.at(name) != align)
      throw UserError(fmt::format("{}: align_{}={} cannot be; the rows give {}", family.name, name,
                                  align, which.geometry.align_bytes.at(name)));
  return which;
}

Geometry parse_geometry_key(std::string_view key) {
  const KeyRequest parsed = parse_key(key, false);
  const StaticPart part = make_static_part(parsed.request);
  Geometry geometry = part.geometry;
  for (const TensorDecl* tensor : part.tensors) {
    std::optional<std::int64_t> dense;
    try {
      dense = dense_alignment(geometry, *tensor, part.scope);
    } catch (const EvalError& error) {
      throw UserError(fmt::format("{}: {}", geometry.family->name, error.what()));
    }
    const auto given = parsed.align_bytes.find(tensor->name);
    if (given == parsed.align_bytes.end()) {
      if (!dense)
        throw UserError(fmt::format("{}: dense rows of {} fit no alignment class that it allows",
                                    geometry.family->name, tensor->name));
      geometry.align_bytes[tensor->name] = *dense;
      continue;
    }
    const auto& allowed = tensor->align_bytes;
    const bool listed = std::find(allowed.begin(), allowed.end(), given->second) != allowed.end();
    if (!listed || (!tensor->runtime_row_stride && (!dense || given->second > *dense)))
      throw UserError(fmt::format("{}: align_{}={} cannot be", geometry.family->name, tensor->name,
                                  given->second));
    geometry.align_bytes[tensor->name] = given->second;
  }
  for (const auto& [name, align] : parsed.align_bytes)
    if (!geometry.has(name))
      throw UserError(fmt::format("{}: there is no tensor '{}' here", geometry.family->name, name));
  require_supported(*geometry.family, scope_parts(geometry, nullptr, nullptr, nullptr, nullptr),
                    {});
  return geometry;
}

Variant parse_variant_key(const Family& family, std::string_view key) {
  auto parts = split_key(key, nullptr);
  Variant variant;
  variant.implementation = family.tuned;
  const auto named = std::find_if(parts.begin(), parts.end(),
                                  [](const auto& part) { return part.first == "implementation"; });
  if (named != parts.end()) {
    variant.implementation = named->second;
    parts.erase(named);
  }
  const ImplementationDecl* implementation = family.find_implementation(variant.implementation);
  if (implementation == nullptr) {
    std::vector<std::string> known;
    for (const ImplementationDecl& one : family.implementations) known.push_back(one.name);
    throw UserError(
        unknown_name("implementation of " + family.name, variant.implementation, known));
  }
  variant.axes = implementation->fixed;
  std::vector<std::string> known = implementation->axes;
  for (const auto& [name, value] : implementation->fixed) known.push_back(name);
  for (const auto& [name, text] : parts) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw UserError(unknown_name("axis of " + variant.implementation, name, known));
    const Value value = parse_word_or_number(name, text);
    const auto fixed = implementation->fixed.find(name);
    if (fixed != implementation->fixed.end() && fixed->second != value)
      throw UserError(fmt::format("{} has {}={}, not {}", variant.implementation, name,
                                  to_string(fixed->second), text));
    require_axis_value(*family.find_axis(name), value, {});
    variant.axes[name] = value;
  }
  for (const std::string& axis : implementation->axes)
    if (variant.axes.count(axis) == 0)
      throw UserError(fmt::format("variant '{}' names no {}", key, axis));
  return variant;
}

}  // namespace fusetune

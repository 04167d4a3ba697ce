#include "harness/verify/golden_mapping.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/base/error.hpp"
#include "harness/verify/codec.hpp"
#include "harness/verify/golden_tables.hpp"

namespace fusetune {

std::optional<DType> dtype_of_stored(std::string_view name) {
  if (name == "BF16") return DType::bf16;
  if (name == "F16") return DType::fp16;
  if (name == "F32") return DType::fp32;
  if (name == "I32") return DType::i32;
  if (name == "I64") return DType::i64;
  if (name == "U8") return DType::u8;
  if (name == "F8_E4M3") return DType::e4m3fn;
  if (name == "F8_E5M2") return DType::e5m2;
  return std::nullopt;
}

namespace {

/// Where dimensions of 1 are left out is a matter of taste.
std::vector<std::int64_t> wide_dims(std::vector<std::int64_t> dims) {
  std::erase(dims, 1);
  return dims;
}

/// A part of the mapping; an empty object when it is not there.
const Json& part(const Json& mapping, const char* name) {
  static const Json empty = Json::object();
  return mapping.contains(name) ? mapping[name] : empty;
}

/// YAML scalars arrive as JSON strings or as what they look like.
std::string word_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

GoldenMapping::GoldenMapping(const Family& family, const GoldenCase& golden)
    : family_(family), golden_(golden) {
  const auto found = family.golden.find(golden.family);
  if (found == family.golden.end())
    fail(fmt::format("family {} does not map golden cases of '{}'", family.name, golden.family));
  mapping_ = &found->second;
}

void GoldenMapping::fail(const std::string& what) const {
  throw UserError(fmt::format("golden case {}: {}", golden_.name, what));
}

const StoredTensor& GoldenMapping::stored(const std::string& our_name) const {
  const Json& tensors = part(*mapping_, "tensors");
  if (!tensors.contains(our_name))
    fail(fmt::format("the mapping of family {} names no tensor for '{}'", family_.name, our_name));
  const std::string theirs = word_of(tensors[our_name]);
  const auto found = golden_.tensors.find(theirs);
  if (found == golden_.tensors.end()) {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : golden_.tensors) names.push_back(name);
    fail(unknown_name("tensor", theirs, names));
  }
  return found->second;
}

const StoredTensor& GoldenMapping::tensor(const TensorDecl& declared,
                                          const TensorShape& shape) const {
  if (declared.role == Role::inout || declared.role == Role::state)
    fail(fmt::format("tensor '{}' is updated in place: its initial content is not in the file",
                     declared.name));
  const Json& tables = part(*mapping_, "tables");
  if (tables.contains(declared.name)) {
    const auto [table, added] = tables_.try_emplace(declared.name);
    if (added) table->second = golden_table(golden_, word_of(tables[declared.name]), shape);
    return table->second;
  }
  const StoredTensor& found = stored(declared.name);
  if (dtype_of_stored(found.dtype) != shape.dtype)
    fail(fmt::format("tensor '{}' is {} there and {} here", declared.name, found.dtype,
                     to_string(shape.dtype)));
  require_shape(declared, found, shape);
  return found;
}

void GoldenMapping::require_shape(const TensorDecl& declared, const StoredTensor& found,
                                  const TensorShape& shape) const {
  if (wide_dims(found.dims) != wide_dims(shape.dims))
    fail(fmt::format("tensor '{}' is [{}] there and [{}] here", declared.name,
                     fmt::join(found.dims, ", "), fmt::join(shape.dims, ", ")));
}

const StoredTensor* GoldenMapping::find_stored(const char* mapping_part,
                                               const std::string& our_name) const {
  const Json& names = part(*mapping_, mapping_part);
  if (!names.contains(our_name)) return nullptr;
  const auto found = golden_.tensors.find(word_of(names[our_name]));
  return found == golden_.tensors.end() ? nullptr : &found->second;
}

const StoredTensor* GoldenMapping::truth(const TensorDecl& declared,
                                         const TensorShape& shape) const {
  const StoredTensor* found = find_stored("truths", declared.name);
  if (found == nullptr) return nullptr;
  const std::optional<DType> dtype = dtype_of_stored(found->dtype);
  if (!dtype || is_integer(*dtype))
    fail(fmt::format("the truth of '{}' has the type {}", declared.name, found->dtype));
  require_shape(declared, *found, shape);
  return found;
}

const Json* GoldenMapping::param(const std::string& name) const {
  const std::size_t dot = name.rfind('.');
  const std::string whole = name.substr(0, dot);
  if (!golden_.params.contains(whole)) return nullptr;
  const Json& value = golden_.params[whole];
  if (dot == std::string::npos) return &value;
  const std::string place = name.substr(dot + 1);
  if (!value.is_array() || place.size() != 1 || place[0] < '0' || place[0] > '9') return nullptr;
  const auto index = static_cast<std::size_t>(place[0] - '0');
  return index < value.size() ? &value[index] : nullptr;
}

std::int64_t GoldenMapping::number(const std::string& symbol, const Json& value) const {
  if (value.is_number_integer()) return value.get<std::int64_t>();
  const std::string theirs = word_of(value);
  const Json* number = param(theirs);
  if (number == nullptr || !number->is_number_integer())
    fail(fmt::format("has no whole number '{}' for the symbol {}", theirs, symbol));
  return number->get<std::int64_t>();
}

double GoldenMapping::real(const std::string& scalar, const Json& value) const {
  if (value.is_number()) return value.get<double>();
  const std::string theirs = word_of(value);
  if (!golden_.params.contains(theirs) || !golden_.params[theirs].is_number())
    fail(fmt::format("has no number '{}' for the scalar {}", theirs, scalar));
  return golden_.params[theirs].get<double>();
}

std::string GoldenMapping::word_of_param(const std::string& option,
                                         const std::string& theirs) const {
  if (!golden_.params.contains(theirs))
    fail(fmt::format("has no '{}' for the option {}", theirs, option));
  const Json& value = golden_.params[theirs];
  const std::string word = value.is_boolean() ? (value.get<bool>() ? "on" : "off") : word_of(value);
  const std::vector<std::string>& values = family_.find_option(option)->values;
  if (std::find(values.begin(), values.end(), word) == values.end())
    fail(unknown_name(fmt::format("value of the option {}", option), word, values));
  return word;
}

CaseRequest GoldenMapping::request(const std::shared_ptr<const Family>& family) const {
  CaseRequest request;
  request.family = family;
  for (const auto& [name, value] : part(*mapping_, "options").items())
    request.statics[name] = Enum{word_of(value)};
  for (const auto& [name, value] : part(*mapping_, "options_from").items())
    request.statics[name] = Enum{word_of_param(name, word_of(value))};
  for (const auto& [name, value] : part(*mapping_, "scalars").items())
    request.scalars[name] = real(name, value);
  for (const auto& [name, value] : part(*mapping_, "symbols").items()) {
    const SymbolDecl* symbol = family_.find_symbol(name);
    if (symbol == nullptr) fail(fmt::format("the mapping names the unknown symbol '{}'", name));
    (symbol->is_static ? request.statics : request.runtime)[name] = number(name, value);
  }
  for (const auto& [name, value] : part(*mapping_, "dtypes").items()) {
    const std::optional<DType> dtype = dtype_from_string(word_of(value));
    if (!dtype) fail(fmt::format("the mapping gives {} the unknown type {}", name, value.dump()));
    request.dtypes[name] = *dtype;
  }
  for (const auto& [name, value] : part(*mapping_, "tensors").items()) {
    const TensorDecl* tensor = family_.find_tensor(name);
    if (tensor == nullptr) fail(fmt::format("the mapping names the unknown tensor '{}'", name));
    const StoredTensor* found = find_stored("tensors", name);
    if (found == nullptr) continue;  // an error once the case turns out to have it
    const std::optional<DType> dtype = dtype_of_stored(found->dtype);
    if (!dtype) fail(fmt::format("tensor '{}' has the type {}", name, found->dtype));
    const auto [entry, added] = request.dtypes.try_emplace(tensor->dtype, *dtype);
    if (!added && entry->second != *dtype)
      fail(fmt::format("tensors of {} have two types: {} and {}", tensor->dtype,
                       to_string(entry->second), to_string(*dtype)));
  }
  return request;
}

bool maps_golden(const Family& family, const GoldenCase& golden) {
  return family.golden.count(golden.family) != 0;
}

Case case_of_golden(const std::shared_ptr<const Family>& family, const GoldenCase& golden) {
  return make_case(GoldenMapping(*family, golden).request(family));
}

}  // namespace fusetune

// The case that a golden one is: its options, symbols, types and scalars.

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/error.hpp"
#include "harness/verify/golden_mapping.hpp"

namespace fusetune {

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
  const std::string theirs = golden_word(value);
  const Json* number = param(theirs);
  if (number == nullptr || !number->is_number_integer())
    fail(fmt::format("has no whole number '{}' for the symbol {}", theirs, symbol));
  return number->get<std::int64_t>();
}

double GoldenMapping::real(const std::string& scalar, const Json& value) const {
  if (value.is_number()) return value.get<double>();
  const std::string theirs = golden_word(value);
  if (!golden_.params.contains(theirs) || !golden_.params[theirs].is_number())
    fail(fmt::format("has no number '{}' for the scalar {}", theirs, scalar));
  return golden_.params[theirs].get<double>();
}

std::string GoldenMapping::word_of_param(const std::string& ours, const std::string& theirs,
                                         const std::vector<std::string>& known) const {
  if (!golden_.params.contains(theirs)) fail(fmt::format("has no '{}' for {}", theirs, ours));
  const Json& value = golden_.params[theirs];
  std::string word = value.is_boolean() ? (value.get<bool>() ? "on" : "off") : golden_word(value);
  if (const Json& words = part("words"); words.contains(word)) word = golden_word(words[word]);
  if (std::find(known.begin(), known.end(), word) == known.end())
    fail(unknown_name("value of " + ours, word, known));
  return word;
}

CaseRequest GoldenMapping::request(const std::shared_ptr<const Family>& family) const {
  CaseRequest request;
  request.family = family;
  for (const auto& [name, value] : part("options").items())
    request.statics[name] = Enum{golden_word(value)};
  for (const auto& [name, value] : part("options_from").items())
    request.statics[name] =
        Enum{word_of_param(name, golden_word(value), family_.find_option(name)->values)};
  for (const auto& [name, value] : part("scalars").items())
    request.scalars[name] = real(name, value);
  for (const auto& [name, value] : part("symbols").items()) {
    const SymbolDecl* symbol = family_.find_symbol(name);
    (symbol->is_static ? request.statics : request.runtime)[name] = number(name, value);
  }
  take_dtypes(request);
  return request;
}

void GoldenMapping::take_dtypes(CaseRequest& request) const {
  for (const auto& [name, value] : part("dtypes").items()) {
    const std::optional<DType> dtype = dtype_from_string(golden_word(value));
    if (!dtype) fail(fmt::format("the mapping gives {} the unknown type {}", name, value.dump()));
    request.dtypes[name] = *dtype;
  }
  for (const auto& [name, value] : part("dtypes_from").items()) {
    std::vector<std::string> known;
    for (const DType dtype : family_.find_dtype(name)->values) known.emplace_back(to_string(dtype));
    request.dtypes[name] = *dtype_from_string(word_of_param(name, golden_word(value), known));
  }
  for (const auto& [name, value] : part("tensors").items()) {
    const StoredTensor* found = find_stored("tensors", name);
    if (found == nullptr) continue;  // an error once the case turns out to have it
    take_dtype(request, *family_.find_tensor(name), *found);
  }
}

void GoldenMapping::take_dtype(CaseRequest& request, const TensorDecl& tensor,
                               const StoredTensor& found) const {
  const std::vector<DType>& values = family_.find_dtype(tensor.dtype)->values;
  const bool takes_u8 = std::find(values.begin(), values.end(), DType::u8) != values.end();
  if (found.dtype == "U8" && !takes_u8) return;  // codes, whose type the mapping gives
  const std::optional<DType> dtype = dtype_of_stored(found.dtype);
  if (!dtype) fail(fmt::format("tensor '{}' has the type {}", tensor.name, found.dtype));
  const auto [entry, added] = request.dtypes.try_emplace(tensor.dtype, *dtype);
  if (!added && entry->second != *dtype)
    fail(fmt::format("tensors of {} have two types: {} and {}", tensor.dtype,
                     to_string(entry->second), to_string(*dtype)));
}

}  // namespace fusetune

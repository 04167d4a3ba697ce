#pragma once
// One JSON type for the whole program: key order is kept sorted, so output is stable, and whole
// numbers are read as what they are.

#include <concepts>
#include <nlohmann/json.hpp>
#include <utility>

namespace fusetune {

template <typename T, typename = void>
struct JsonSerializer : nlohmann::adl_serializer<T> {};

/// Reads no number with a fraction or an exponent, and none out of range: files and messages may
/// hold either, and the library would convert them as C++ does, which is undefined for large ones.
template <std::integral T>
requires(!std::same_as<T, bool>) struct JsonSerializer<T> : nlohmann::adl_serializer<T> {
  template <typename Json>
  static void from_json(const Json& json, T& value) {
    const auto take = [&](const auto whole) {
      if (!std::in_range<T>(whole)) refuse(json);
      value = static_cast<T>(whole);
    };
    if (json.is_number_unsigned())
      take(*json.template get_ptr<const typename Json::number_unsigned_t*>());
    else if (json.is_number_integer())
      take(*json.template get_ptr<const typename Json::number_integer_t*>());
    else
      refuse(json);
  }

 private:
  template <typename Json>
  [[noreturn]] static void refuse(const Json& json) {
    throw Json::type_error::create(302,
                                   "a whole number in range is expected, not " +
                                       json.dump(-1, ' ', true, Json::error_handler_t::replace),
                                   &json);
  }
};

using Json = nlohmann::basic_json<std::map, std::vector, std::string, bool, std::int64_t,
                                  std::uint64_t, double, std::allocator, JsonSerializer>;

}  // namespace fusetune

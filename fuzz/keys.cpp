// Keys of cases, geometries and variants: what parses prints, and parses again to the same key.
// The first line says of which kind and family; the rest is the key.

#include "fuzz/target.hpp"
#include "harness/base/error.hpp"
#include "harness/spec/geometry.hpp"

namespace fusetune::fuzz {

namespace {

void check_case(std::string_view text) {
  const std::string key = parse_case_key(text).key();
  require(parse_case_key(key).key() == key, "another case from its own key: " + key);
}

void check_geometry(std::string_view text) {
  const std::string key = parse_geometry_key(text).key();
  require(parse_geometry_key(key).key() == key, "another geometry from its own key: " + key);
}

void check_variant(std::string_view family_name, std::string_view text) {
  const auto family = find_family(family_name);
  const std::string key = parse_variant_key(*family, text).key(*family);
  require(parse_variant_key(*family, key).key(*family) == key,
          "another variant from its own key: " + key);
}

}  // namespace

void run(std::string_view input) {
  const std::size_t end = std::min(input.find('\n'), input.size());
  const std::string_view kind = input.substr(0, end);
  const std::string_view text = input.substr(std::min(end + 1, input.size()));
  try {
    if (kind == "case")
      check_case(text);
    else if (kind == "geometry")
      check_geometry(text);
    else
      check_variant(kind, text);
  } catch (const UserError&) {
    // Keys come from the command line: an error quotes the key, there is no place.
  }
}

}  // namespace fusetune::fuzz

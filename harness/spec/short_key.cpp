#include "harness/spec/short_key.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>
#include <vector>

#include "harness/base/error.hpp"

namespace fusetune {

namespace {

/// Leaves out one part after the other where `full_key` of the rest is still `key`.
std::string shortened_key(const std::string& key,
                          const std::function<std::string(const std::string&)>& full_key) {
  const std::size_t open = key.find('(');
  std::vector<std::string> parts;
  for (std::size_t at = open + 1; at < key.size();) {
    const std::size_t end = key.find_first_of(",)", at);
    parts.push_back(key.substr(at, end - at));
    at = end + 1;
  }
  const std::string family = key.substr(0, open);
  const auto text = [&family](const std::vector<std::string>& of) {
    return fmt::format("{}({})", family, fmt::join(of, ","));
  };
  for (std::size_t i = 0; i < parts.size();) {
    std::vector<std::string> fewer = parts;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    bool same = false;
    try {
      same = full_key(text(fewer)) == key;
    } catch (const UserError&) {  // it has no default
    } catch (const EvalError&) {  // what is computed from it has none
    }
    if (same)
      parts = std::move(fewer);
    else
      ++i;
  }
  return text(parts);
}

}  // namespace

std::string short_key(const Geometry& geometry) {
  return shortened_key(geometry.key(),
                       [](const std::string& key) { return parse_geometry_key(key).key(); });
}

std::string short_key(const Case& which) {
  return shortened_key(which.key(),
                       [](const std::string& key) { return parse_case_key(key).key(); });
}

std::string short_case_key(const std::string& case_key) {
  try {
    return short_key(parse_case_key(case_key));
  } catch (const UserError&) {
  } catch (const EvalError&) {
  }
  return case_key;
}

}  // namespace fusetune

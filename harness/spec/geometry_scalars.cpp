#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "harness/spec/family_vocabulary.hpp"
#include "harness/spec/geometry_parts.hpp"

namespace fusetune {

namespace {

const ScalarDecl* find_scalar(const Family& family, std::string_view name) {
  for (const ScalarDecl& scalar : family.scalars)
    if (scalar.name == name) return &scalar;
  return nullptr;
}

}  // namespace

std::string scalar_fault(ScalarDecl::Type type, double value) {
  if (type == ScalarDecl::Type::f32)
    return std::fabs(value) <= std::numeric_limits<float>::max() ? ""
                                                                 : "is out of the range of f32";
  if (value != std::trunc(value)) return "is no integer";
  if (type == ScalarDecl::Type::i32)
    return value >= -2147483648.0 && value <= 2147483647.0 ? "" : "is out of the range of i32";
  // Above 2^53 a double does not hold every integer.
  return std::fabs(value) <= 9007199254740992.0 ? "" : "is beyond 2^53";
}

double parse_scalar(const YamlNode& node, ScalarDecl::Type type) {
  const double value =
      type == ScalarDecl::Type::f32 ? node.as_double() : static_cast<double>(node.as_int());
  const std::string fault = scalar_fault(type, value);
  if (!fault.empty()) node.fail(fmt::format("{} {}", node.as_string(), fault));
  return value;
}

double Case::scalar(std::string_view name) const {
  const ScalarDecl* decl = find_scalar(*geometry.family, name);
  if (decl == nullptr)
    throw std::logic_error(
        fmt::format("family {} has no scalar '{}'", geometry.family->name, name));
  const auto given = scalars.find(decl->name);
  const double value = given == scalars.end() ? decl->default_value : given->second;
  return decl->type == ScalarDecl::Type::f32 ? static_cast<double>(static_cast<float>(value))
                                             : value;
}

std::map<std::string, double> complete_scalars(const CaseRequest& request) {
  const Family& family = *request.family;
  std::map<std::string, double> values;
  for (const auto& [name, value] : request.scalars) {
    const ScalarDecl* scalar = find_scalar(family, name);
    if (scalar == nullptr) {
      std::vector<std::string> known;
      for (const ScalarDecl& one : family.scalars) known.push_back(one.name);
      throw UserError(request.mark, family.name + ": " + unknown_name("scalar", name, known));
    }
    const std::string fault = scalar_fault(scalar->type, value);
    if (!fault.empty())
      throw UserError(request.mark, fmt::format("{}: {}={} {}", family.name, name, value, fault));
    values[name] = value;
  }
  for (const ScalarDecl& scalar : family.scalars) values.emplace(scalar.name, scalar.default_value);
  return values;
}

std::string scalar_text(const ScalarDecl& scalar, double value) {
  if (scalar.type == ScalarDecl::Type::f32) return fmt::format("{}", value);
  return std::to_string(static_cast<std::int64_t>(value));
}

double scalar_from_text(const ScalarDecl& scalar, const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    throw UserError(fmt::format("{}: '{}' is no number", scalar.name, text));
  const std::string fault = scalar_fault(scalar.type, value);
  if (!fault.empty()) throw UserError(fmt::format("{}={} {}", scalar.name, text, fault));
  return value;
}

}  // namespace fusetune

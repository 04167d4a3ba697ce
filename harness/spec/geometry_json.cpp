#include <fmt/format.h>

#include <map>
#include <mutex>
#include <utility>

#include "harness/base/files.hpp"
#include "harness/base/json.hpp"
#include "harness/spec/geometry_parts.hpp"

namespace fusetune {

namespace {

Json to_json(const Bindings& bindings) {
  Json json = Json::object();
  for (const auto& [name, value] : bindings) {
    if (const auto* flag = std::get_if<bool>(&value))
      json[name] = *flag;
    else if (const auto* number = std::get_if<std::int64_t>(&value))
      json[name] = *number;
    else
      json[name] = std::get<Enum>(value).name;
  }
  return json;
}

Bindings bindings_from_json(const Json& json) {
  Bindings bindings;
  for (const auto& [name, value] : json.items()) {
    if (value.is_boolean())
      bindings[name] = value.get<bool>();
    else if (value.is_number_integer())
      bindings[name] = value.get<std::int64_t>();
    else
      bindings[name] = Enum{value.get<std::string>()};
  }
  return bindings;
}

/// A worker is sent dozens of cases of a family for each variant: it reads the family once.
std::shared_ptr<const Family> family_from_json(const Json& json) {
  static std::mutex mutex;
  static std::map<std::pair<std::string, std::string>, std::shared_ptr<const Family>> known;
  const auto name = json.at("family_file").get<std::string>();
  const auto hash = json.at("family_hash").get<std::string>();
  const std::scoped_lock lock(mutex);
  std::shared_ptr<const Family>& family = known[{name, hash}];
  if (family) return family;
  const std::filesystem::path file = name;
  auto read = load_family(file.is_absolute() ? file : project_root() / file);
  if (read->content_hash != hash)
    throw UserError(fmt::format("{} has changed since the plan was made", file.string()));
  family = std::move(read);
  return family;
}

}  // namespace

Json to_json(const Case& which) {
  const Geometry& geometry = which.geometry;
  Json dtypes = Json::object();
  for (const auto& [name, dtype] : geometry.dtypes) dtypes[name] = to_string(dtype);
  // Families of the project are named relative to it: messages end up in records.
  Json json{{"family_file", display_path(geometry.family->file)},
            {"family_hash", geometry.family->content_hash},
            {"statics", to_json(geometry.statics)},
            {"dtypes", dtypes},
            {"align_bytes", geometry.align_bytes},
            {"runtime", to_json(which.runtime)},
            {"row_strides", which.row_strides}};
  if (!which.scalars.empty()) json["scalars"] = which.scalars;
  return json;
}

Case case_from_json(const Json& json) {
  Case which;
  which.geometry.family = family_from_json(json);
  which.geometry.statics = bindings_from_json(json.at("statics"));
  for (const auto& [name, dtype] : json.at("dtypes").items()) {
    const auto known = dtype_from_string(dtype.get<std::string>());
    if (!known) throw UserError("unknown element type in a message: " + dtype.dump());
    which.geometry.dtypes[name] = *known;
  }
  which.geometry.align_bytes = json.at("align_bytes").get<std::map<std::string, std::int64_t>>();
  which.runtime = bindings_from_json(json.at("runtime"));
  which.row_strides = json.at("row_strides").get<std::map<std::string, std::int64_t>>();
  if (json.contains("scalars"))
    which.scalars = json.at("scalars").get<std::map<std::string, double>>();
  return which;
}

Json to_json(const Variant& variant) {
  return Json{{"implementation", variant.implementation}, {"axes", to_json(variant.axes)}};
}

Variant variant_from_json(const Json& json) {
  Variant variant;
  variant.implementation = json.at("implementation").get<std::string>();
  variant.axes = bindings_from_json(json.at("axes"));
  return variant;
}

}  // namespace fusetune

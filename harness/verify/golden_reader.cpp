#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/verify/golden.hpp"

namespace fusetune {

namespace {

GoldenCase read_case(const Json& entry, SafetensorsFile& file) {
  GoldenCase golden;
  golden.name = entry.at("case").get<std::string>();
  golden.family = entry.at("family").get<std::string>();
  golden.params = entry.at("params");
  if (!golden.params.is_object())
    throw UserError(fmt::format("case {}: its params are no object", golden.name));
  golden.source = entry.value("source", "");
  for (const auto& [name, type_and_shape] : entry.at("tensors").items()) {
    const auto found = file.tensors.find(golden.name + "/" + name);
    if (found == file.tensors.end())
      throw UserError(fmt::format("case {} names tensor '{}', which the file does not have",
                                  golden.name, name));
    if (type_and_shape.at(1).get<std::vector<std::int64_t>>() != found->second.dims)
      throw UserError(fmt::format("case {} has tensor '{}' in two shapes", golden.name, name));
    golden.tensors[name] = std::move(found->second);
    file.tensors.erase(found);
  }
  return golden;
}

/// The case whose inputs it takes; "" for its own.
std::string lender_of(const GoldenCase& golden) {
  const auto inputs = golden.params.find("inputs");
  return inputs != golden.params.end() && inputs->is_string() ? inputs->get<std::string>() : "";
}

/// A case may name another one that holds its inputs: `inputs` among its parameters.
void lend_inputs(std::vector<GoldenCase>& cases) {
  for (GoldenCase& golden : cases) {
    const std::string name = lender_of(golden);
    if (name.empty()) continue;
    if (name == golden.name)
      throw UserError(fmt::format("case {} takes its own inputs", golden.name));
    const auto lender = std::find_if(cases.begin(), cases.end(),
                                     [&](const GoldenCase& one) { return one.name == name; });
    if (lender == cases.end())
      throw UserError(fmt::format("case {} takes the inputs of '{}', which the file does not have",
                                  golden.name, name));
    if (const std::string next = lender_of(*lender); !next.empty())
      throw UserError(fmt::format("case {} takes the inputs of {}, which takes them of {} itself",
                                  golden.name, name, next));
    lender->lends = true;
    for (const auto& [tensor, content] : lender->tensors)
      if (golden.tensors.try_emplace(tensor, content).second) golden.lent.insert(tensor);
  }
}

}  // namespace

std::vector<GoldenCase> golden_cases(SafetensorsFile file, const std::string& name) {
  const auto listed = file.metadata.find("cases");
  if (listed == file.metadata.end())
    throw UserError(fmt::format("{}: __metadata__ has no list of cases", name));
  std::vector<GoldenCase> cases;
  try {
    const Json entries = Json::parse(listed->second);
    if (!entries.is_array() || entries.empty())
      throw UserError("__metadata__.cases is no list, or an empty one");
    for (const Json& entry : entries) cases.push_back(read_case(entry, file));
    lend_inputs(cases);
  } catch (const Json::exception& error) {
    throw UserError(fmt::format("{}: __metadata__.cases: {}", name, error.what()));
  } catch (const UserError& error) {
    throw UserError(fmt::format("{}: {}", name, error.what()));
  }
  return cases;
}

std::vector<GoldenCase> read_golden(const std::filesystem::path& path) {
  return golden_cases(read_safetensors(path), display_path(path));
}

GoldenCase read_golden_case(const std::filesystem::path& path, const std::string& name) {
  std::vector<std::string> names;
  for (GoldenCase& golden : read_golden(path)) {
    if (golden.name == name) return std::move(golden);
    names.push_back(golden.name);
  }
  throw UserError(
      fmt::format("{}: {}", display_path(path), unknown_name("golden case", name, names)));
}

}  // namespace fusetune

// T4 results, Kernel Tuner's cache and vLLM's configurations: one JSON document each.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "harness/import/import_readers.hpp"

namespace fusetune {

namespace {

constexpr double kUsPerMs = 1000;

/// Of the unit that the file states; its tools' own default is milliseconds.
double us_per_time_unit(const PlacedJson& root) {
  const PlacedJson* metadata = root.find("metadata");
  const PlacedJson* unit = metadata == nullptr ? nullptr : metadata->find("timeunit");
  if (unit == nullptr) return kUsPerMs;
  const std::string& name = unit->string();
  if (name == "milliseconds") return kUsPerMs;
  if (name == "microseconds") return 1;
  if (name == "nanoseconds") return 1e-3;
  if (name == "seconds") return 1e6;
  unit->fail("the unit is none of seconds, milliseconds, microseconds, nanoseconds");
}

/// The measurement of this name, where there is one.
const PlacedJson* measured(const PlacedJson& item, std::string_view name) {
  const PlacedJson* measurements = item.find("measurements");
  if (measurements == nullptr) return nullptr;
  for (const auto& [none, one] : measurements->array())
    if (one.at("name").string() == name) return &one.at("value");
  return nullptr;
}

ImportedRecord t4_record(const PlacedJson& item, double us_per_unit) {
  static const std::vector<std::string> kKnown{"timeout",     "compile",     "runtime",
                                               "correctness", "constraints", "correct"};
  ImportedRecord record;
  record.line = item.line;
  record.configuration = parameters_of(item.at("configuration"));
  if (!item.at("times").is_object()) item.at("times").fail("an object is expected");
  const PlacedJson& invalidity = item.at("invalidity");
  if (std::find(kKnown.begin(), kKnown.end(), invalidity.string()) == kKnown.end())
    invalidity.fail("the invalidity is none of the schema's");
  (void)item.at("correctness").number();
  if (invalidity.string() != "correct") {
    record.status = invalidity.string();
    return record;
  }
  if (const PlacedJson* time = measured(item, "time"))
    record.time_us = time_us_of(*time, us_per_unit);
  return record;
}

/// A cache that its tool has not closed ends with the comma behind its last entry.
std::string closed_cache(std::string_view text, ImportedFile& file) {
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string_view::npos || text[end] != ',') return std::string(text);
  file.remarks.push_back(
      "the file was not closed, as that of a run that was stopped; every entry "
      "of it is whole");
  return std::string(text.substr(0, end)) + "}}";
}

ImportedRecord cache_record(const PlacedJson& entry, const std::vector<std::string>& parameters,
                            const std::string& objective) {
  ImportedRecord record;
  record.line = entry.line;
  record.configuration = Json::object();
  for (const std::string& name : parameters)
    record.configuration[name] = parameter_of(entry.at(name));
  const PlacedJson* error = entry.find("__error__");
  const PlacedJson& time = entry.at(objective);
  if (error != nullptr)
    record.status = error->string();
  else if (time.is_string())
    record.status = time.string();
  else
    record.time_us = time_us_of(time, kUsPerMs);
  if (record.status == "ok" && !record.time_us) entry.fail("its error has the name 'ok'");
  return record;
}

}  // namespace

void read_t4(std::string_view text, ImportedFile& file) {
  const PlacedJson root = parse_placed_json(text, file.name);
  if (!root.is_object()) root.fail("T4 results are an object");
  const double us_per_unit = us_per_time_unit(root);
  const PlacedJson* own = root.find("x_fusetune");
  const auto own_text = [own](const char* name) {
    const PlacedJson* value = own == nullptr ? nullptr : own->find(name);
    return value == nullptr ? std::string() : value->string();
  };
  for (const auto& [none, item] : root.at("results").array()) {
    ImportedRecord record = t4_record(item, us_per_unit);
    record.device = own_text("device");
    record.problem = own_text("case");
    if (const PlacedJson* more = item.find("x_fusetune"))
      if (const PlacedJson* name = more->find("implementation"))
        record.implementation = name->string();
    file.records.push_back(std::move(record));
  }
}

void read_kernel_tuner(std::string_view text, ImportedFile& file) {
  const PlacedJson root = parse_placed_json(closed_cache(text, file), file.name);
  if (!root.is_object()) root.fail("a cache is an object");
  file.kernel = root.at("kernel_name").string();
  const std::string& device = root.at("device_name").string();
  const PlacedJson* objective = root.find("objective");
  const std::string name = objective == nullptr ? "time" : objective->string();
  if (name != "time") objective->fail("only caches of the objective 'time' hold times");
  std::vector<std::string> parameters;
  for (const auto& [none, one] : root.at("tune_params_keys").array())
    parameters.push_back(one.string());
  const PlacedJson& cache = root.at("cache");
  if (!cache.is_object()) cache.fail("an object of entries is expected");
  for (const auto& [key, entry] : cache.members) {
    ImportedRecord record = cache_record(entry, parameters, name);
    record.device = device;
    record.problem = root.at("problem_size").json();
    file.records.push_back(std::move(record));
  }
}

void read_vllm_json(std::string_view text, ImportedFile& file) {
  const PlacedJson root = parse_placed_json(text, file.name);
  if (!root.is_object()) root.fail("configurations are an object by token counts");
  for (const auto& [key, value] : root.members) {
    if (key == "triton_version") continue;  // newer writers say by what they were compiled
    std::int64_t tokens = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), tokens);
    if (error != std::errc() || end != key.data() + key.size() || tokens < 0)
      value.fail("a name is a count of tokens, or triton_version");
    ImportedRecord record;
    record.line = value.line;
    record.problem = Json::array({tokens});
    record.configuration = parameters_of(value);
    if (const auto other = record.configuration.find("implementation");
        other != record.configuration.end()) {
      if (!other->is_string()) value.fail("an implementation is a name");
      record.implementation = other->get<std::string>();
      record.configuration.erase(other);
    }
    file.records.push_back(std::move(record));
  }
}

}  // namespace fusetune

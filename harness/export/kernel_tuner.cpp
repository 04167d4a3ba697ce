// Kernel Tuner's cache file, for its simulation mode and its tools: schema 1.1.0, closed.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/export/export_format.hpp"
#include "harness/export/export_text.hpp"
#include "harness/export/t4.hpp"

namespace fusetune {

namespace {

constexpr double kUsPerMillisecond = 1000;

/// The three classes that its cache knows. A wrong result is one of running, as a failed answer is
/// there.
std::string_view error_class(Status status) {
  const std::string_view invalidity = t4_invalidity(status);
  if (invalidity == "constraints") return "InvalidConfig";
  if (invalidity == "compile" || status == Status::compile_timeout)
    return "CompilationFailedConfig";
  return "RuntimeFailedConfig";
}

/// Its keys are the values in the order of tune_params_keys.
std::string cache_key(const std::vector<std::string>& names, const Json& configuration) {
  std::vector<std::string> words;
  for (const std::string& name : names) {
    const Json& value = configuration.at(name);
    words.push_back(value.is_string() ? value.get<std::string>() : value.dump());
  }
  return fmt::format("{}", fmt::join(words, ","));
}

Json entry_of(const ObservedCase& observed, const ObservedVariant& variant,
              const Json& configuration) {
  Json entry = configuration;
  Json times = Json::array();
  double spent_ms = 0;
  for (const double us : variant.samples_us) {
    times.push_back(us / kUsPerMillisecond);
    spent_ms += us / kUsPerMillisecond;
  }
  if (variant.status != Status::ok)
    entry["time"] = entry["__error__"] = std::string(error_class(variant.status));
  else
    entry["time"] =
        (variant.times ? variant.times->median_us : *variant.probe_us) / kUsPerMillisecond;
  entry["times"] = std::move(times);
  entry["compile_time"] = variant.compile_ms.value_or(0);
  entry["verification_time"] = variant.proof_ms.value_or(0);
  entry["benchmark_time"] = spent_ms;
  entry["strategy_time"] = 0;
  entry["framework_time"] = 0;
  entry["timestamp"] = second_of(observed.finished);
  entry["x_fusetune"] = {{"status", std::string(to_string(variant.status))},
                         {"message", variant.message},
                         {"probe_alone", variant.status == Status::ok && !variant.times}};
  return entry;
}

Json cache_of(const ObservedCase& observed, Export& out) {
  const Family& family = *observed.which.geometry.family;
  const std::vector<std::string>& axes = family.find_implementation(family.tuned)->axes;
  std::vector<std::string> names;
  for (const AxisDecl& axis : family.axes)
    if (std::find(axes.begin(), axes.end(), axis.name) != axes.end()) names.push_back(axis.name);
  Json cache = Json::object();
  Json values = Json::object();
  for (const std::string& name : names) values[name] = Json::array();
  for (const ObservedVariant& variant : observed.variants) {
    if (variant.variant.implementation != family.tuned) {
      out.left_out.push_back(fmt::format("{} of {}: a cache has one kernel, and this is another",
                                         variant.key, observed.which.key()));
      continue;
    }
    if (variant.status == Status::ok && !variant.times && !variant.probe_us) {
      out.left_out.push_back(
          fmt::format("{} of {}: it was not timed", variant.key, observed.which.key()));
      continue;
    }
    Json configuration = configuration_json(family, variant.variant);
    for (const std::string& name : names) {
      Json& list = values[name];
      if (std::find(list.begin(), list.end(), configuration[name]) == list.end())
        list.push_back(configuration[name]);
    }
    cache[cache_key(names, configuration)] = entry_of(observed, variant, configuration);
    ++out.entries;
  }
  for (Json& list : values) std::sort(list.begin(), list.end());
  return {{"schema_version", "1.1.0"},
          {"device_name", observed.device},
          {"kernel_name", family.name},
          {"problem_size", Json::array({observed.which.rows()})},
          {"tune_params_keys", names},
          {"tune_params", std::move(values)},
          {"objective", "time"},
          {"cache", std::move(cache)},
          {"x_fusetune",
           {{"case", observed.which.key()},
            {"target", observed.target.name},
            {"data", observed.data}}}};
}

}  // namespace

Export to_kernel_tuner(const std::vector<ObservedCase>& cases) {
  Export out;
  for (const ObservedCase& observed : cases)
    out.files.push_back({case_stem(observed) + ".cache.json", json_text(cache_of(observed, out))});
  return out;
}

}  // namespace fusetune

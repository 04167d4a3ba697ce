// T4: what was observed of each variant, and of the machine. Schema 1.0.0, whose two copies differ
// in places; what is written here holds for both (docs/formats.md).

#include <algorithm>
#include <map>
#include <set>

#include "harness/base/files.hpp"
#include "harness/export/export_format.hpp"
#include "harness/export/export_text.hpp"
#include "harness/export/t4.hpp"

namespace fusetune {

namespace {

constexpr const char* kT4Version = "1.0.0";
constexpr double kUsPerMs = 1000;

Json measurement(const char* name, double value, const char* unit) {
  return {{"name", name}, {"value", value}, {"unit", unit}};
}

/// The largest over the entries of a code object; nothing where none tells.
void add_fact(Json& measurements, const ObservedVariant& variant, const char* name,
              std::optional<std::int64_t> KernelFacts::*fact, const char* unit) {
  std::optional<std::int64_t> largest;
  for (const KernelFacts& kernel : variant.facts->kernels)
    if (const auto& value = kernel.*fact) largest = std::max(largest.value_or(*value), *value);
  if (largest) measurements.push_back(measurement(name, static_cast<double>(*largest), unit));
}

Json measurements_of(const ObservedVariant& variant) {
  Json list = Json::array();
  if (variant.times) {
    list.push_back(measurement("time", variant.times->median_us / kUsPerMs, "ms"));
    if (variant.times->epochs > 1) {  // the interval of one epoch is infinite
      list.push_back(measurement("time_low", variant.times->low_us / kUsPerMs, "ms"));
      list.push_back(measurement("time_high", variant.times->high_us / kUsPerMs, "ms"));
    }
  } else if (variant.probe_us) {
    list.push_back(measurement("probe_time", *variant.probe_us / kUsPerMs, "ms"));
  }
  if (!variant.facts) return list;
  add_fact(list, variant, "vgpr", &KernelFacts::vgpr, "");
  add_fact(list, variant, "sgpr", &KernelFacts::sgpr, "");
  add_fact(list, variant, "vgpr_spills", &KernelFacts::vgpr_spills, "");
  add_fact(list, variant, "scratch_bytes", &KernelFacts::scratch_bytes, "B");
  add_fact(list, variant, "lds_bytes", &KernelFacts::lds_bytes, "B");
  return list;
}

Json times_of(const ObservedVariant& variant) {
  Json runtimes = Json::array();
  for (const double us : variant.samples_us) runtimes.push_back(us / kUsPerMs);
  Json times{{"runtimes", std::move(runtimes)}};
  // The schema has one name, the writer that most readers know the other.
  if (variant.compile_ms) times["compilation_time"] = times["compilation"] = *variant.compile_ms;
  if (variant.proof_ms) times["validation"] = *variant.proof_ms;
  return times;
}

Json item_of(const ObservedCase& observed, const ObservedVariant& variant) {
  const bool correct = variant.status == Status::ok;
  Json own{{"status", std::string(to_string(variant.status))},
           {"implementation", variant.variant.implementation},
           {"variant", variant.key},
           {"baseline", variant.is_baseline},
           {"code_identity", variant.code_identity},
           {"timed", variant.times.has_value()}};
  if (!variant.message.empty()) own["message"] = variant.message;
  return {{"timestamp", second_of(observed.finished)},
          {"configuration", configuration_json(*observed.which.geometry.family, variant.variant)},
          {"times", times_of(variant)},
          {"invalidity", std::string(t4_invalidity(variant.status))},
          {"correctness", correct ? 1 : 0},
          {"objectives", {"time"}},
          {"measurements", measurements_of(variant)},
          {"x_fusetune", std::move(own)}};
}

Json results_of(const ObservedCase& observed) {
  Json results = Json::array();
  for (const ObservedVariant& variant : observed.variants)
    results.push_back(item_of(observed, variant));
  return {{"schema_version", kT4Version},
          {"metadata", {{"timeunit", "milliseconds"}}},
          {"results", std::move(results)},
          {"x_fusetune",
           {{"case", observed.which.key()},
            {"device", observed.device},
            {"target", observed.target.name},
            {"data", observed.data},
            {"proved_not_timed", observed.untimed},
            {"sweep", observed.sweep}}}};
}

/// One document per device: what its figures depend on.
Json metadata_of(const std::string& device, const std::vector<const ObservedCase*>& cases) {
  std::set<std::string> requirements{"fusetune " + harness_version()};
  Json conditions = Json::array();
  for (const ObservedCase* observed : cases) {
    requirements.insert(observed->compiler);
    if (std::find(conditions.begin(), conditions.end(), observed->conditions) == conditions.end())
      conditions.push_back(observed->conditions);
  }
  Json hardware = Json::array();
  hardware.push_back(
      {{"device", device}, {"target", cases.front()->target.name}, {"conditions", conditions}});
  return {{"schema_version", kT4Version},
          {"metadata",
           {{"zenodo", Json::object()},
            // One copy of the schema has the first name, the other the second.
            {"hardware", {{"lshw", hardware}, {"hardware_description", hardware}}},
            {"environment",
             {{"device_query", {{"fusetune", hardware.front()}}}, {"requirements", requirements}}},
            {"x_fusetune",
             {{"invalid_points", "kept, each with its status and message"},
              {"validation",
               "every variant is proved against a CPU reference before it is timed, and "
               "again afterwards"},
              {"runtimes", "raw samples, milliseconds per launch list"},
              {"constraints",
               "variants that a constraint removes are not in the results; the T1 file "
               "has the constraints"}}}}}};
}

}  // namespace

std::string_view t4_invalidity(Status status) {
  switch (status) {
    case Status::ok:
      return "correct";
    case Status::pruned:
    case Status::resource_limit:
    case Status::skipped:
      return "constraints";
    case Status::unsupported_target:
    case Status::compile_error:
    case Status::compiler_crash:
      return "compile";
    case Status::compile_timeout:
    case Status::kernel_timeout:
      return "timeout";
    case Status::launch_error:
    case Status::kernel_fault:
    case Status::out_of_memory:
    case Status::worker_lost:
    case Status::divergent_barrier:
    case Status::misaligned:
      return "runtime";
    case Status::verification_failed:
    case Status::unwritten_output:
    case Status::input_modified:
    case Status::out_of_bounds:
    case Status::uninitialised_read:
    case Status::race:
    case Status::nondeterministic:
      return "correctness";
  }
  return "runtime";
}

Export to_t4(const std::vector<ObservedCase>& cases) {
  Export out;
  std::map<std::string, std::vector<const ObservedCase*>> devices;
  for (const ObservedCase& observed : cases) {
    out.files.push_back(
        {case_stem(observed) + ".t4-results.json", json_text(results_of(observed))});
    out.entries += std::ssize(observed.variants);
    devices[observed.device].push_back(&observed);
  }
  for (const auto& [device, of_device] : devices)
    out.files.push_back(
        {file_stem(device) + ".t4-metadata.json", json_text(metadata_of(device, of_device))});
  return out;
}

}  // namespace fusetune

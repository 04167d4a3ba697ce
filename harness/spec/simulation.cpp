#include "harness/spec/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <utility>

#include "harness/base/files.hpp"
#include "harness/base/hash.hpp"
#include "harness/base/json.hpp"
#include "harness/spec/yaml.hpp"

namespace fusetune {

namespace {

using Kind = SimulatedFault::Kind;

constexpr std::array<std::pair<Kind, const char*>, 13> kFaultNames{{
    {Kind::compile_error, "compile_error"},
    {Kind::compiler_crash, "compiler_crash"},
    {Kind::compiler_hang, "compiler_hang"},
    {Kind::garbage_code, "garbage_code"},
    {Kind::launch_error, "launch_error"},
    {Kind::kernel_fault, "kernel_fault"},
    {Kind::poisoned_context, "poisoned_context"},
    {Kind::kernel_hang, "kernel_hang"},
    {Kind::wrong_result, "wrong_result"},
    {Kind::lost_launch, "lost_launch"},
    {Kind::worker_death, "worker_death"},
    {Kind::out_of_memory, "out_of_memory"},
    {Kind::other_stream, "other_stream"},
}};

Kind read_kind(const YamlNode& node) {
  std::vector<std::string> names;
  for (const auto& [kind, name] : kFaultNames) names.emplace_back(name);
  const std::string chosen = node.as_one_of(names, "fault");
  for (const auto& [kind, name] : kFaultNames)
    if (chosen == name) return kind;
  node.fail("unknown fault");
}

std::int64_t read_count(const YamlNode& node, std::int64_t least) {
  const std::int64_t value = node.as_int();
  if (value < least) node.fail(fmt::format("must be {} or more", least));
  return value;
}

double read_number(const YamlNode& node, double least, double most) {
  const double value = node.as_double();
  if (!std::isfinite(value) || value < least || value > most)
    node.fail(fmt::format("must lie between {} and {}", least, most));
  return value;
}

/// Leaves the default where the key is absent.
void read_number(const YamlNode& map, const char* key, double least, double most, double* value) {
  if (const auto node = map.find(key)) *value = read_number(*node, least, most);
}

SimulatedFault read_fault(const YamlNode& node) {
  node.allow_keys({"fault", "entry", "variant", "launch", "times", "blocks"}, "key of a fault");
  SimulatedFault fault;
  fault.mark = node.mark();
  fault.kind = read_kind(node.at("fault"));
  if (const auto entry = node.find("entry")) fault.entry = entry->as_string();
  if (const auto variant = node.find("variant"))
    for (const auto& [axis, value] : variant->entries())
      fault.variant.emplace(axis.as_string(), value.as_string());
  for (const auto& [key, least, target] :
       {std::tuple("launch", 1, &fault.launch), std::tuple("times", 0, &fault.times),
        std::tuple("blocks", 0, &fault.blocks)}) {
    const auto count = node.find(key);
    if (!count) continue;
    if (fault.while_compiled()) count->fail("a fault of the compiler has no launches");
    *target = read_count(*count, least);
  }
  return fault;
}

SimulatedNoise read_noise(const YamlNode& node) {
  node.allow_keys(
      {"session", "drift", "drift_memory", "placement", "sample", "outliers", "outlier_excess"},
      "key of noise");
  SimulatedNoise noise;
  read_number(node, "session", 0, 1, &noise.session);
  read_number(node, "drift", 0, 1, &noise.drift);
  read_number(node, "drift_memory", 0, 0.999999, &noise.drift_memory);
  read_number(node, "placement", 0, 1, &noise.placement);
  read_number(node, "sample", 0, 1, &noise.sample);
  read_number(node, "outliers", 0, 1, &noise.outliers);
  read_number(node, "outlier_excess", 0, 100, &noise.outlier_excess);
  return noise;
}

constexpr double kLongTime = 1e12;

SimulatedQueue read_queue(const YamlNode& node) {
  node.allow_keys({"launch_us", "launch_gap_us", "graph_start_us", "graph_gap_us", "span_us",
                   "depth", "graphs", "tick_us", "core_mhz", "copy_bytes_per_us", "cached"},
                  "key of queue");
  SimulatedQueue queue;
  queue.asynchronous = true;
  read_number(node, "launch_us", 0, kLongTime, &queue.launch_us);
  read_number(node, "launch_gap_us", 0, kLongTime, &queue.launch_gap_us);
  read_number(node, "graph_start_us", 0, kLongTime, &queue.graph_start_us);
  read_number(node, "graph_gap_us", 0, kLongTime, &queue.graph_gap_us);
  read_number(node, "span_us", 0, kLongTime, &queue.span_us);
  if (const auto depth = node.find("depth")) queue.depth = read_count(*depth, 1);
  if (const auto graphs = node.find("graphs"))
    queue.graphs = graphs->as_one_of({"on", "off"}, "graphs") == "on";
  read_number(node, "tick_us", 0, 1000, &queue.tick_us);
  read_number(node, "core_mhz", 0, 100000, &queue.core_mhz);
  read_number(node, "copy_bytes_per_us", 1, kLongTime, &queue.copy_bytes_per_us);
  read_number(node, "cached", 0.001, 1, &queue.cached);
  return queue;
}

Throttling read_throttling(const YamlNode& node) {
  node.allow_keys({"from_us", "to_us", "factor", "clock"}, "key of throttle");
  Throttling throttling;
  throttling.from_us = read_number(node.at("from_us"), 0, kLongTime);
  throttling.to_us = read_number(node.at("to_us"), throttling.from_us, kLongTime);
  throttling.factor = read_number(node.at("factor"), 0.01, 1000);
  if (const auto clock = node.find("clock"))
    throttling.core = clock->as_one_of({"core", "memory"}, "clock") == "core";
  return throttling;
}

ClockJump read_jump(const YamlNode& node) {
  node.allow_keys({"at_us", "by_us"}, "key of clock_jumps");
  return {read_number(node.at("at_us"), 0, kLongTime),
          read_number(node.at("by_us"), -kLongTime, kLongTime)};
}

/// Series that scripts/record-space wrote; `entries` says which entry an implementation has.
std::vector<RecordedSeries> read_recorded(const YamlNode& node,
                                          const std::filesystem::path& directory) {
  node.allow_keys({"file", "entries"}, "key of recorded");
  const YamlNode name = node.at("file");
  std::map<std::string, std::string> entries;
  for (const auto& [implementation, entry] : node.at("entries").entries())
    entries[implementation.as_string()] = entry.as_string();
  std::vector<RecordedSeries> recorded;
  try {
    for (const Json& one : Json::parse(read_file(directory / name.as_string()))) {
      const auto entry = entries.find(one.at("implementation").get<std::string>());
      if (entry == entries.end())
        name.fail(fmt::format("it has an implementation '{}' that `entries` does not name",
                              one.at("implementation").get<std::string>()));
      RecordedSeries series{entry->second, one.at("values"), one.at("us")};
      if (series.us.empty() ||
          !std::all_of(series.us.begin(), series.us.end(), [](double us) { return us > 0; }))
        name.fail("a series without samples above 0");
      recorded.push_back(std::move(series));
    }
  } catch (const Json::exception& error) {
    name.fail(fmt::format("not a recorded space: {}", error.what()));
  }
  if (recorded.empty()) name.fail("it holds no series");
  return recorded;
}

std::string macro_of(std::string_view name) {
  std::string macro = "FT_";
  for (const char c : name) macro += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return macro;
}

bool applies(const SimulatedFault& fault, const std::vector<std::string>& entries,
             const std::map<std::string, std::string>& macros) {
  if (!fault.entry.empty() &&
      std::find(entries.begin(), entries.end(), fault.entry) == entries.end())
    return false;
  bool all = true;
  for (const auto& [axis, value] : fault.variant) {
    const auto macro = macros.find(macro_of(axis));
    if (macro == macros.end())
      throw UserError(fault.mark, fmt::format("this code has no axis '{}' that it depends on; name "
                                              "the `entry` that does",
                                              axis));
    // A number stands there as such, a word as FT_AXIS_WORD.
    all = all && (macro->second == value || macro->second == macro_of(axis + "_" + value));
  }
  return all;
}

}  // namespace

std::string Simulation::measuring_key() const {
  std::string text = fmt::format("{}|{}|{} {} {} {} {} {} {}", seed, cache_bytes, noise.session,
                                 noise.drift, noise.drift_memory, noise.placement, noise.sample,
                                 noise.outliers, noise.outlier_excess);
  for (const auto& [entry, formula] : times)
    text += fmt::format("|{}: {}", entry, formula.nanoseconds);
  for (const Throttling& one : throttling)
    text += fmt::format("|throttle {} {} {}{}", one.from_us, one.to_us, one.factor,
                        one.core ? "" : " memory");
  if (queue.asynchronous)
    text += fmt::format("|queue {} {} {} {} {} {} {} {} {} {} {}", queue.launch_us, queue.span_us,
                        queue.launch_gap_us, queue.graph_start_us, queue.graph_gap_us, queue.depth,
                        queue.graphs, queue.tick_us, queue.core_mhz, queue.copy_bytes_per_us,
                        queue.cached);
  for (const ClockJump& one : clock_jumps) text += fmt::format("|jump {} {}", one.at_us, one.by_us);
  for (const RecordedSeries& one : recorded) {
    text += fmt::format("|{}", one.entry);
    for (const auto& [symbol, value] : one.values) text += fmt::format(" {}={}", symbol, value);
    for (const double us : one.us) text += fmt::format(" {}", us);
  }
  return hash_hex(text).substr(0, 16);
}

std::vector<const SimulatedFault*> Simulation::faults_of(
    bool while_compiled, const std::vector<std::string>& entries,
    const std::map<std::string, std::string>& macros) const {
  std::vector<const SimulatedFault*> found;
  for (const SimulatedFault& fault : faults)
    if (fault.while_compiled() == while_compiled && applies(fault, entries, macros))
      found.push_back(&fault);
  return found;
}

Simulation read_simulation(const std::filesystem::path& file) {
  const YamlNode root = YamlNode::load(file);
  root.allow_keys(
      {"simulation", "seed", "compiler_version", "code_bytes", "memory_bytes", "cache_bytes",
       "time_ns", "recorded", "noise", "queue", "other_users", "throttle", "clock_jumps", "faults"},
      "key of a simulation");
  Simulation simulation;
  simulation.name = root.at("simulation").as_string();
  if (const auto seed = root.find("seed"))
    simulation.seed = static_cast<std::uint64_t>(read_count(*seed, 0));
  if (const auto version = root.find("compiler_version"))
    simulation.compiler_version = version->as_string();
  for (const auto& [key, target] : {std::pair("code_bytes", &simulation.code_bytes),
                                    std::pair("memory_bytes", &simulation.memory_bytes),
                                    std::pair("cache_bytes", &simulation.cache_bytes)})
    if (const auto node = root.find(key)) *target = read_count(*node, 0);
  if (const auto times = root.find("time_ns"))
    for (const auto& [entry, formula] : times->entries())
      simulation.times[entry.as_string()] = {formula.as_string(), formula.mark()};
  if (const auto recorded = root.find("recorded"))
    simulation.recorded = read_recorded(*recorded, file.parent_path());
  for (const char* key : {"time_ns", "noise"})
    if (const auto node = root.find(key); node && !simulation.recorded.empty())
      node->fail(fmt::format("recorded samples come with their own: {} has no say", key));
  if (const auto noise = root.find("noise")) simulation.noise = read_noise(*noise);
  if (const auto queue = root.find("queue")) simulation.queue = read_queue(*queue);
  if (const auto list = root.find("other_users"))
    for (const YamlNode& item : list->items()) simulation.other_users.push_back(item.as_string());
  if (const auto list = root.find("throttle"))
    for (const YamlNode& item : list->items())
      simulation.throttling.push_back(read_throttling(item));
  if (const auto list = root.find("clock_jumps"))
    for (const YamlNode& item : list->items()) simulation.clock_jumps.push_back(read_jump(item));
  if (const auto list = root.find("faults"))
    for (const YamlNode& item : list->items()) simulation.faults.push_back(read_fault(item));
  return simulation;
}

const Simulation& present_simulation() {
  static const Simulation simulation = [] {
    const char* file = std::getenv("FUSETUNE_SIMULATION");
    return file == nullptr || *file == '\0' ? Simulation{} : read_simulation(file);
  }();
  return simulation;
}

}  // namespace fusetune

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/size_text.hpp"
#include "harness/cli/text_table.hpp"
#include "harness/tune/compile_stage.hpp"
#include "harness/tune/session.hpp"

namespace fusetune {

namespace {

Json hosts_json() {
  Json list = Json::array();
  const Json containment = containment_of("device", "host");
  for (const char* name : {"host-w64", "host-w32"})
    list.push_back({{"device", name},
                    {"available", true},
                    {"conditions", device_properties(name).conditions},
                    {"containment", containment}});
  return list;
}

/// A GPU that is there and does not start is not available, and says why.
Json gpu_json(const std::string& name, Json gpu) {
  gpu["device"] = name;
  try {
    gpu["conditions"] = device_properties(name).conditions;
    gpu["containment"] = containment_of("device", name);
    gpu["available"] = true;
  } catch (const UserError& error) {
    gpu["available"] = false;
    gpu["why"] = error.what();
  }
  return gpu;
}

Json compilers_json() {
  Json list = Json::array();
  for (const char* target : {"host-w64", "gfx90a", "sm_90"}) {
    std::string why;
    const std::string identity = compiler_identity(parse_target(target), &why);
    list.push_back({{"target", target},
                    {"available", !identity.empty()},
                    {"identity", identity},
                    {"why", why}});
  }
  return list;
}

/// "active: a, b" and one line for each measure that is missing.
void print_containment(const Json& measures) {
  std::vector<std::string> active;
  for (const Json& measure : measures)
    if (measure["active"].get<bool>()) active.push_back(measure["measure"].get<std::string>());
  fmt::print("{}", wrapped(fmt::format("  kernels are contained by: {}",
                                       active.empty() ? "nothing"
                                                      : fmt::format("{}", fmt::join(active, ", "))),
                           4));
  for (const Json& measure : measures)
    if (!measure["active"].get<bool>())
      fmt::print("{}", wrapped(fmt::format("  not available: {} (against {}): {}",
                                           measure["measure"].get<std::string>(),
                                           measure["refuses"].get<std::string>(),
                                           measure["why_not"].get<std::string>()),
                               4));
}

void print_device(const Json& device) {
  const std::string name = device["device"].get<std::string>();
  if (device.contains("pci"))
    fmt::print(
        "{}", wrapped(fmt::format(
                          "device {}: {} ({}), {}, {}, {}", name,
                          device["product"].get<std::string>(), device["target"].get<std::string>(),
                          size_text(device["memory_bytes"].get<std::int64_t>()),
                          device["pci"].get<std::string>(), device["uuid"].get<std::string>()),
                      4));
  if (!device["available"].get<bool>()) {
    fmt::print("{}",
               wrapped(fmt::format("{}device {}: not here: {}", device.contains("pci") ? "  " : "",
                                   name, device["why"].get<std::string>()),
                       4));
    return;
  }
  if (!device.contains("pci"))
    fmt::print("{}", wrapped(fmt::format("device {}: {}", name, device["conditions"].dump()), 4));
  print_containment(device["containment"]);
}

}  // namespace

std::string version_text() {
  std::string modules = "host, simulated";
  if (compiler_unavailable(parse_target("gfx90a")).empty()) modules += ", amd";
  if (compiler_unavailable(parse_target("sm_90")).empty()) modules += ", nvidia";
  return "fusetune " + harness_version() + "\nplatforms: " + modules;
}

ExitCode devices_command(const GlobalOptions& global) {
  Json devices = hosts_json();
  const Json gpus = gpus_here();
  for (std::size_t i = 0; i < gpus["gpus"].size(); ++i)
    devices.push_back(gpu_json(fmt::format("hip:{}", i), gpus["gpus"][i]));
  const Json document{{"devices", std::move(devices)},
                      {"no_gpus", gpus["absent"]},
                      {"compilers", compilers_json()}};
  if (global.json) {
    fmt::print("{}\n", document.dump(2));
    return ExitCode::pass;
  }
  for (const Json& device : document["devices"]) print_device(device);
  for (const Json& why : document["no_gpus"])
    fmt::print("{}", wrapped(fmt::format("GPUs of {}", why.get<std::string>()), 4));
  for (const Json& compiler : document["compilers"]) {
    const bool available = compiler["available"].get<bool>();
    fmt::print("{}",
               wrapped(fmt::format("compiler for {}: {}{}", compiler["target"].get<std::string>(),
                                   available ? "" : "not here: ",
                                   compiler[available ? "identity" : "why"].get<std::string>()),
                       4));
  }
  return ExitCode::pass;
}

}  // namespace fusetune

#include <fmt/format.h>

#include <utility>

#include "harness/base/error.hpp"
#include "harness/compile/module.hpp"
#include "harness/device/device.hpp"
#include "harness/device/gpu.hpp"
#include "harness/device/host/host_device.hpp"
#include "harness/device/simulated/simulated_device.hpp"

namespace fusetune {

namespace {

const char* name_of(Platform platform) { return platform == Platform::amd ? "AMD" : "NVIDIA"; }

/// Of the platform's module; throws UserError with the reason.
template <typename Function>
Function function_of(Platform platform, const char* symbol) {
  std::string reason;
  const auto function = reinterpret_cast<Function>(module_symbol(platform, symbol, &reason));
  if (function == nullptr) throw UserError(reason);
  return function;
}

std::unique_ptr<Device> open_gpu(std::string_view name) {
  const GpuList list = list_gpus();
  const Gpu& gpu = choose_gpu(name, list);
  return std::unique_ptr<Device>(
      function_of<ModuleMakeDevice>(gpu.platform, kModuleDeviceSymbol)(gpu));
}

}  // namespace

GpuList list_gpus() {
  GpuList list;
  for (const Platform platform : {Platform::amd, Platform::nvidia}) {
    try {
      const std::unique_ptr<std::vector<Gpu>> gpus(
          function_of<ModuleListGpus>(platform, kModuleGpusSymbol)());
      list.gpus.insert(list.gpus.end(), gpus->begin(), gpus->end());
    } catch (const std::exception& error) {
      list.absent.push_back(fmt::format("{}: {}", name_of(platform), error.what()));
    }
  }
  return list;
}

Target target_of_device(std::string_view name) {
  static const std::vector<std::string> names = {
      "host", "host-w64", "host-w32", "simulated", "simulated-w64", "simulated-w32", "hip:0"};
  for (const std::string& known : names)
    if (name == known && !is_gpu(known)) return parse_target(name);
  throw UserError(unknown_name("device", name, names));
}

std::unique_ptr<Device> open_device(std::string_view name, std::shared_ptr<LineFinder> lines) {
  if (is_gpu(name)) return open_gpu(name);
  const Target target = target_of_device(name);
  if (target.platform == Platform::simulated)
    return std::make_unique<SimulatedDevice>(target, present_simulation());
  if (!lines) lines = make_line_finder();
  return std::make_unique<HostDevice>(target, std::move(lines));
}

}  // namespace fusetune

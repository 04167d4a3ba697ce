#include <utility>

#include "harness/base/error.hpp"
#include "harness/device/device.hpp"
#include "harness/device/host/host_device.hpp"
#include "harness/device/simulated/simulated_device.hpp"

namespace fusetune {

Target target_of_device(std::string_view name) {
  static const std::vector<std::string> names = {"host",      "host-w64",      "host-w32",
                                                 "simulated", "simulated-w64", "simulated-w32"};
  for (const std::string& known : names)
    if (name == known) return parse_target(name);
  throw UserError(unknown_name("device", name, names));
}

std::unique_ptr<Device> open_device(std::string_view name, std::shared_ptr<LineFinder> lines) {
  const Target target = target_of_device(name);
  if (target.platform == Platform::simulated)
    return std::make_unique<SimulatedDevice>(target, present_simulation());
  if (!lines) lines = make_line_finder();
  return std::make_unique<HostDevice>(target, std::move(lines));
}

}  // namespace fusetune

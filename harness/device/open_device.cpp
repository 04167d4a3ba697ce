#include <utility>

#include "harness/base/error.hpp"
#include "harness/device/device.hpp"
#include "harness/device/host/host_device.hpp"

namespace fusetune {

Target target_of_device(std::string_view name) {
  static const std::vector<std::string> names = {"host", "host-w64", "host-w32"};
  for (const std::string& known : names)
    if (name == known) return parse_target(name);
  throw UserError(unknown_name("device", name, names));
}

std::unique_ptr<Device> open_device(std::string_view name, std::shared_ptr<LineFinder> lines) {
  if (!lines) lines = make_line_finder();
  return std::make_unique<HostDevice>(target_of_device(name), std::move(lines));
}

}  // namespace fusetune

#pragma once
// A device used as a run uses it, and what it told of the calls that failed meanwhile.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/device/hip/hip_device.hpp"

namespace fusetune::test {

struct Told {
  std::string step;
  Status status = Status::ok;
  std::string message;
};

struct DeviceUse {
  std::vector<Told> told;
  bool opened = false;
  bool lost = false;
};

using MakeDevice = std::function<std::unique_ptr<Device>(const Gpu&)>;

std::unique_ptr<Device> make_device(const Gpu& gpu);

/// Looks for GPUs, opens the first, and uses all of it twice; a use ends with the first thing that
/// fails, and what it holds is given back.
DeviceUse use_device(const MakeDevice& make = make_device);

}  // namespace fusetune::test

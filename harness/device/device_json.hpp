#pragma once
// Device properties on their way from a worker to the supervisor.

#include "harness/base/json.hpp"
#include "harness/device/device.hpp"

namespace fusetune {

Json to_json(const DeviceProperties& properties);
DeviceProperties device_properties_from_json(const Json& json);

}  // namespace fusetune

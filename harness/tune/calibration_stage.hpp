#pragma once
// Measures what a device's figures can be worth, in workers, and keeps it for the races there.

#include <filesystem>
#include <optional>
#include <string>

#include "harness/measure/calibration.hpp"
#include "harness/process/step_note.hpp"
#include "harness/tune/session.hpp"

namespace fusetune {

/// Compiles the kernels with the device's own compiler, proves and times them on the device, and
/// keeps the result beside the records. What goes wrong is the outcome. Throws UserError for a
/// device that is not here.
Calibration examine_device(const std::string& device, const EngineOptions& options);

/// What examine_device() kept of a device under these conditions.
std::optional<Calibration> kept_calibration(const DeviceProperties& device,
                                            const std::filesystem::path& store);

/// The worker's side ("doctor").
Json handle_doctor_request(Device& device, const Json& request, NotePage& page);

}  // namespace fusetune

#pragma once
// The GPUs that the runtime of this module's platform shows.

#include <vector>

#include "harness/device/gpu.hpp"

namespace fusetune::hip {

/// At least one. Throws UserError with the reason when there is none, or no driver that fits.
std::vector<Gpu> gpus();

}  // namespace fusetune::hip

#pragma once
// What a kernel for the host may use of the process that loads it.

#include <string>
#include <string_view>

namespace fusetune {

/// Provided by the host device itself: its runtime, and the hooks of instrumented code.
bool is_device_runtime(std::string_view name);

/// Why a module may not be loaded: it imports more than the device's runtime and mathematics, what
/// it imports does not exist, or it has code that runs on loading. "" when it may.
std::string load_problem(std::string_view code);

}  // namespace fusetune

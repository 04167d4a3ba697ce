#pragma once
// From a planned launch and the buffers of a case to what the device is handed.

#include <vector>

#include "harness/verify/arena.hpp"
#include "harness/verify/proof.hpp"

namespace fusetune {

/// Arguments in the order of the ABI: data pointers, row strides in elements, runtime symbols,
/// scalars. Throws std::logic_error for a name that the case does not have.
KernelLaunch bind(const Launch& launch, const Case& which, const Arena& arena);

/// All launches of a variant, in order.
std::vector<KernelLaunch> bind(const RunnableVariant& variant, const Case& which,
                               const Arena& arena);

/// Enqueues the launches in order, stopping at the first that the device refuses; does not
/// synchronise.
Outcome enqueue(Device& device, const LoadedCode& code, const std::vector<KernelLaunch>& launches);

}  // namespace fusetune

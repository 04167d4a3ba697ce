#pragma once
// The proof of a mutant, in a device worker.

#include <functional>

#include "harness/base/json.hpp"
#include "harness/device/device.hpp"
#include "harness/verify/proof_cache.hpp"

namespace fusetune {

/// The worker's side of one request ("mutant"): one case, with changes of its launches and of the
/// device, and with checks switched off.
Json handle_mutant_request(Device& device, const Json& request, ProofCache& cache);

}  // namespace fusetune

#pragma once
// The proof of a mutant, in a device worker.

#include <functional>

#include "harness/base/json.hpp"
#include "harness/device/device.hpp"
#include "harness/process/worker_pool.hpp"
#include "harness/selftest/check_groups.hpp"
#include "harness/tune/proof_aids.hpp"

namespace fusetune {

/// The worker's side of one request ("mutant"): one case, with changes of its launches and of the
/// device, and with checks switched off.
Json handle_mutant_request(Device& device, const Json& request, ProofAids& aids);

/// The supervisor's side: what came of it, a failed launch where the worker ended or lost its
/// device. Nothing that a bug breaks may end the run.
ProofReport mutant_report(const JobEnd& end, ProofMode mode);

}  // namespace fusetune

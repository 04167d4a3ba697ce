#pragma once
// A race of a kernel against itself with a plant, as a campaign would run it: proved, timed on a
// device with a queue, proved again.

#include <string>

#include "harness/base/json.hpp"
#include "harness/device/device.hpp"
#include "harness/process/worker_pool.hpp"
#include "harness/selftest/plants.hpp"
#include "harness/tune/proof_aids.hpp"

namespace fusetune {

/// What came of one plant.
struct PlantVerdict {
  std::string name, about;
  std::string found_by;  ///< a check, or the status of a launch that failed; "" when it lived
  std::string message;
  bool found = false;         ///< by one that may find it
  std::string out_of_reach;   ///< why it need not be found here
  std::string false_alarm;    ///< of the shipped kernel beside it
  std::string path;           ///< of the race
  std::int64_t checked = 0;   ///< launch lists whose results were compared on that path
  double ratio = 0, low = 0;  ///< of its time to the shipped kernel's; 0 where it has none
};

Json to_json(const PlantVerdict& verdict);

/// The worker's side of a "mutant" request that names a "plant".
Json handle_planted_race(Device& device, const Json& request, ProofAids& aids);

/// The supervisor's side.
PlantVerdict plant_verdict(const Plant& plant, const JobEnd& end);

}  // namespace fusetune

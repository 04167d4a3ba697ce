#pragma once
// The self-test of the path that is timed, on a device with a queue: each plant in a race of its
// own, one after the other, as nothing else may run on the device meanwhile.

#include <string>
#include <vector>

#include "harness/selftest/planted_race.hpp"
#include "harness/tune/session.hpp"

namespace fusetune {

struct TimedChoice {
  std::string device;
  std::string brief, lengthy;  ///< cases whose launches are short, and longer than submitting them
  std::vector<std::string> names;  ///< of plants; all when empty
};

struct TimedSummary {
  std::string device;
  std::vector<PlantVerdict> plants;
  bool interrupted = false;

  bool passed() const;
  std::int64_t found() const;
  std::int64_t within_reach() const;
};

/// Whether the device has a queue that is timed: on the host a launch is done when it returns.
bool has_timed_path(const Target& target);

/// Throws UserError where the kernel cannot be compiled, or a case or plant is unknown.
TimedSummary timed_selftest(const TimedChoice& choice, Session& session);

Json to_json(const TimedSummary& summary);

}  // namespace fusetune

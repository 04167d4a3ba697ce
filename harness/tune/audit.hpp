#pragma once
// A random share of what a campaign took from the store, proved and timed again and compared: after
// a compiler upgrade for the code that did not change, and for who doubts a store.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/measure/race.hpp"
#include "harness/tune/session.hpp"

namespace fusetune {

/// A record that does not hold.
struct AuditFinding {
  StepRecord::Kind kind = StepRecord::Kind::proof;
  std::string key;
  std::string subject;
  std::string what;
};

struct AuditReport {
  bool done = false;  ///< one was asked for
  double share = 0;
  std::uint64_t seed = 0;
  std::int64_t proofs = 0, races = 0;  ///< done again
  std::vector<AuditFinding> findings;
  bool interrupted = false;

  /// A verdict that does not hold is a wrong result; a time is inconclusive, as machines change.
  ExitCode exit_code() const;
};

/// `again` runs the campaign on a session that hides the chosen records and whose results go
/// nowhere; it returns whether it was cut short. Records stay as they are. Each proof and race of
/// an earlier run is chosen with probability `share`, by its key and the seed.
AuditReport audit_store(Session& session, double share, std::uint64_t seed,
                        const std::function<bool(Session&)>& again);

/// How a race's times differ from recorded ones beyond noise, arm by arm; empty when they agree.
std::vector<std::string> race_differences(const RaceResult& recorded, const RaceResult& fresh,
                                          const std::vector<std::string>& arms);

}  // namespace fusetune

#pragma once
// Timing variants of one case against each other: warm-up, interleaved rounds, epochs of fresh
// memory, all samples kept. The vocabulary (sample, round, epoch) is that of docs/measuring.md; the
// host fills this structure first, GPUs later.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/device/device.hpp"
#include "harness/verify/proof.hpp"

namespace fusetune {

/// Every default with its unit and reason.
struct RaceOptions {
  double span_us_min = 300;   ///< a sample is a span of launches at least this long: a thousand
                              ///< ticks of a 0.1 us clock, and more
  int epochs = 4;             ///< fresh allocations; the independent unit of the statistics
  int rounds = 3;             ///< per epoch; each visits every arm there and back
  double warm_up_ms = 20;     ///< per race
  double probe_cutoff = 2.5;  ///< an arm slower than this times its group's best probe is dropped
  bool cold = true;           ///< rotate argument sets beyond the last-level cache
  std::uint64_t seed = 1;
  double budget_s = 5;  ///< wall time of this race; fewer epochs (never under two) when it runs out
  std::int64_t ring_bytes_max = std::int64_t{256} << 20;  ///< memory of all argument sets together
  std::vector<std::int32_t> keep;  ///< arms that the probe never drops: baseline and incumbent
  /// Per arm; arms of one group are to be told apart, so that the best probe of each stays. Empty:
  /// all are of one.
  std::vector<std::int32_t> groups;
};

struct Sample {
  std::int32_t arm = 0, epoch = 0, round = 0;
  std::int64_t launches = 0;
  double us = 0;  ///< per launch list
};

/// An arm that was right before it was timed and wrong afterwards. Its samples are gone.
struct Disproof {
  std::int32_t arm = 0;
  Outcome outcome;
};

struct RaceResult {
  Outcome outcome;
  std::int32_t failed_arm = -1;  ///< whose launch or clock failed; race again without it
  std::vector<Sample> samples;
  std::vector<std::int32_t>
      dropped;  ///< arms that the probe dropped, with their probe time in `probe_us`
  std::vector<double> probe_us;    ///< per arm
  std::int64_t ring = 1;           ///< argument sets that were rotated
  std::string data;                ///< "cold" or "hot": what was really done
  double ring_over_cache = 0;      ///< bytes of the ring over the last-level cache; 0 unknown
  std::vector<std::string> flags;  ///< "warm-up unsettled", "budget"
  std::vector<Disproof> disproved;
  std::string stopped_by;  ///< "epochs" or "budget"
};

Json to_json(const RaceOptions& options);
RaceOptions race_options_from_json(const Json& json);
Json to_json(const RaceResult& result);
RaceResult race_from_json(const Json& json);

/// Told of each span before it runs: its arm, and about how long it will take by what was seen of
/// it, 0 for unknown. An arm of -1: memory is made ready.
using SpanAhead = std::function<void(std::int32_t arm, double expected_us)>;

/// Times the arms on one case. All arms have been proved before. An arm without launches has no
/// time: it is refused, never timed as 0. A failure of one arm ends the race and is its outcome.
RaceResult race(Device& device, const std::vector<RunnableVariant>& arms, const Case& which,
                const RaceOptions& options, const SpanAhead& ahead = {});

}  // namespace fusetune

#pragma once
// Timing variants of one case against each other: warm-up, interleaved rounds, epochs of fresh
// memory, all samples kept. The vocabulary (sample, round, epoch) is that of docs/measuring.md; the
// host fills this structure first, GPUs later.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/device/device.hpp"
#include "harness/verify/digester.hpp"
#include "harness/verify/proof.hpp"

namespace fusetune {

/// What differs between kinds of devices. Every default with its unit and reason.
struct RaceRules {
  double span_us_min = 300;  ///< a sample is a span of launches at least this long: a thousand
                             ///< ticks of a 0.1 us clock, and more
  double ticks_min = 1000;   ///< of the device's clock, where its tick shows: 0.1 % of a span
  bool two_lengths = false;  ///< spans of L and 2 L: what does not grow with them is no kernel's
  double warm_up_ms = 20;    ///< per race, and until no trend is left
  double warm_up_ms_max = 100;
  std::vector<int> looks = {4};  ///< epochs after which arms are dropped; the last is the most
  int rounds = 3;                ///< per epoch; each visits every arm there and back
  /// As many are left for the confirmation, on epochs of its own that alone give the certificate;
  /// 0: no confirmation.
  int finalists = 0;
  std::vector<int> confirm_looks = {4};  ///< epochs of the confirmation after which it may stop
};

/// Launches that are done when they return (the host). No confirmation: its rows serve the host
/// alone, and a sweep would take twice as long.
RaceRules immediate_rules();
/// An asynchronous queue (a GPU).
RaceRules queued_rules();

/// The same for a search, which asks what is worth a race: two epochs of one round, and nobody is
/// dropped or confirmed.
RaceRules search_rules(RaceRules rules);

struct RaceOptions {
  RaceRules immediate = immediate_rules();
  RaceRules queued = queued_rules();
  double probe_cutoff = 2.5;  ///< an arm slower than this times its group's best probe is dropped
  /// After each round of short spans, of an arm's best over the best of all, in a device with
  /// confirmation: single spans vary by less, and one that was disturbed is not the best of its
  /// own.
  std::vector<double> screen_cuts = {0.12, 0.08};
  double early_cut = 0.04;  ///< after the first epoch: loses no winner of recorded spaces
  /// Of the few arms of the confirmation, after its first epoch: a cut that noise reaches would
  /// leave out those that were unlucky once. What is only compared with needs one round of an epoch
  /// there.
  double far = 0.10;
  double margin = 0.005;     ///< an arm is dropped when it is surely slower by more than this
  double precision = 0.005;  ///< half width of an interval that is narrow enough
  double regret_max = 0.01;  ///< of the leader: when no other can be faster by more, it is enough
  double alpha = 0.05;       ///< of wrong droppings, spent over the looks
  // How an asynchronous device is watched.
  double graph_below_us = 20;     ///< of a launch list: below it launches cost more than kernels
  double single_above_us = 500;   ///< above it a span's own cost is under 1 %, one length will do
  double host_ratio_min = 0.98;   ///< of this machine's time of a span to the device's: outside
  double host_ratio_max = 1.25;   ///< of these the span is rejected
  double host_slack_us = 30;      ///< for as long this machine may be late to look
  double core_clock_min = 0.97;   ///< of an arm's own usual core clock, below which it throttles
  double span_overhead = 0.05;    ///< of a span, above which what does not grow is flagged
  int retries_max = 3;            ///< of a round or an epoch
  double rest_ms = 100;           ///< before a retry, and twice as long before each further one
  double reference_drift = 0.02;  ///< of the reference copy, beyond which an epoch is repeated
  double doubling_max = 1.02;     ///< a ring is cold when twice of it is no slower than this
  double memory_share = 0.25;     ///< of the free memory that the argument sets may have
  std::int64_t cache_bytes = 0;   ///< of the last-level cache, as measured; 0: what the device says
  bool one_by_one = false;        ///< no span is submitted before the one before it has ended
  /// Before and after the epochs that give the certificate the path that is timed is checked
  /// against single launches (ring_check.hpp), so many lists and bytes of results at least. 0: it
  /// is not.
  std::int64_t check_lists = 1024;
  std::int64_t check_bytes = std::int64_t{64} << 20;
  bool cold = true;  ///< rotate argument sets beyond the last-level cache
  std::uint64_t seed = 1;
  double budget_s = 5;  ///< wall time of this race; fewer epochs (never under two) when it runs out
  /// Of all argument sets together, where the device cannot tell what is free.
  std::int64_t ring_bytes_max = std::int64_t{256} << 20;
  std::vector<std::int32_t> keep;  ///< arms that are never dropped: baseline and incumbent
  /// Per arm; arms of one group are to be told apart, so that the best of each stays. Empty: all
  /// are of one.
  std::vector<std::int32_t> groups;
};

struct Sample {
  std::int32_t arm = 0, epoch = 0, round = 0;
  std::int64_t launches = 0;
  double us = 0;  ///< per launch list
  /// The spans of L and 2 L launch lists that it is made of; 0 where it is one span.
  double short_us = 0, long_us = 0;
  double core_mhz = 0;  ///< 0 where the device cannot tell
};

/// An arm that was surely slower than the leader, or one too many; it has samples up to then.
struct Elimination {
  std::int32_t arm = 0;
  std::int32_t epochs = 0;  ///< that it ran
};

/// An arm that was right before it was timed and wrong on the path that is timed, or afterwards.
/// Its samples are gone.
struct Disproof {
  std::int32_t arm = 0;
  Outcome outcome;
};

struct RaceResult {
  Outcome outcome;
  std::int32_t failed_arm = -1;  ///< whose launch or clock failed; race again without it
  /// Whether it is that arm's fault, or another's, or the device's; race again `one_by_one`.
  bool unsure = false;
  std::vector<Sample> samples;
  std::vector<std::int32_t>
      dropped;  ///< arms that the probe dropped, with their probe time in `probe_us`
  std::vector<double> probe_us;    ///< per arm
  std::int64_t ring = 1;           ///< argument sets that were rotated
  std::string data;                ///< "cold" or "hot": what was really done
  double ring_over_cache = 0;      ///< bytes of the ring over the last-level cache; 0 unknown
  double ring_doubled = 0;         ///< time with twice the ring over its own; 0 not measured
  std::vector<std::string> flags;  ///< "warm-up unsettled", "budget"
  std::vector<Disproof> disproved;
  /// "epochs", "decided", "precise", "bounded", "noise_limited" or "budget".
  std::string stopped_by;
  std::string path;  ///< "stream", "graph" or "single"
  std::vector<Elimination> eliminated;
  bool confirmed = false;              ///< the certificate comes from epochs that dropped no arm
  std::int32_t confirmed_from = 0;     ///< the first epoch that the certificate comes from
  std::int64_t rejected_clocks = 0;    ///< visits left out because two clocks disagreed
  std::int64_t rejected_throttle = 0;  ///< and because the core clock fell
  std::int64_t repeated_epochs = 0;    ///< because the reference copy had drifted
  std::int64_t checked_lists = 0;      ///< whose results on the path that is timed were compared
  std::vector<double> reference_us;    ///< of the copy, per epoch that was kept
  /// Where the race's time went, by this machine's clock: "warm_up", "probe", "path" (recording and
  /// the proof of coldness), "screen", "epochs", "check_before", "confirm", "check_after".
  std::map<std::string, double> phases_ms;
};

Json to_json(const RaceOptions& options);
RaceOptions race_options_from_json(const Json& json);
Json to_json(const RaceResult& result);
RaceResult race_from_json(const Json& json);

/// What runs next in a race, and how far it is.
struct NextSpan {
  std::int32_t arm = -1;    ///< -1: memory is made ready
  double expected_us = 0;   ///< by what was seen of the arm; 0: unknown
  std::int32_t probed = 0;  ///< arms that the probe is done with
  std::int32_t left = 0;    ///< arms that can still win, known when all are probed
};

/// Told of each span before it runs.
using SpanAhead = std::function<void(const NextSpan&)>;

/// Times the arms on one case. All arms have been proved before. An arm without launches has no
/// time: it is refused, never timed as 0. A failure of one arm ends the race and is its outcome.
/// `digests`: as of check_ring().
RaceResult race(Device& device, const std::vector<RunnableVariant>& arms, const Case& which,
                const RaceOptions& options, const SpanAhead& ahead = {},
                const DigestRegions& digests = {});

}  // namespace fusetune

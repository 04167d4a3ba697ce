#pragma once
// Where a race takes place: the argument sets, the timer, and what watches over both. What is
// raced, and who is dropped, is the race's to decide.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/measure/race.hpp"
#include "harness/measure/ring.hpp"
#include "harness/measure/span.hpp"
#include "harness/measure/thermometer.hpp"

namespace fusetune {

/// An arm could not be timed: ends the race, as a value at its boundary.
struct ArmFailure {
  std::int32_t arm;  ///< -1: none in particular
  Outcome outcome;
  bool unsure = false;  ///< whether it is this one's fault
};

/// One arm in one pass of a round.
struct Visit {
  std::int32_t arm = 0;
  std::int64_t launches = 0;  ///< of the short span
  double short_us = 0;
  double long_us = 0;  ///< 0 with one length
  double core_mhz = 0;
  bool believed = false;  ///< the clocks agree about one of its spans at least
  enum class Verdict { good, clocks, throttle } verdict = Verdict::good;
};

/// `span`: the last one, where there is one to tell of.
Outcome clocks_disagree(const Span* span = nullptr);

class RaceBench {
 public:
  /// Throws std::bad_alloc.
  RaceBench(Device& device, const std::vector<RunnableVariant>& arms, const Case& which,
            const RaceOptions& options, const SpanAhead& ahead, const DigestRegions& digests,
            RaceResult& result);

  const RaceRules& rules() const { return rules_; }
  bool asynchronous() const { return asynchronous_; }
  std::size_t arm_count() const { return bound_.size(); }
  std::int64_t sets() const { return plan_.sets; }
  double span_us_min() const { return span_us_min_; }
  void flag(const std::string& text);
  /// How far the race is: for who is told of spans.
  void count(std::int32_t probed, std::int32_t left) { probed_ = probed, left_ = left; }
  double elapsed_us() { return device_.host_us() - begin_us_; }
  void rest(int retry);

  /// Argument sets at new offsets; an asynchronous device gets as many as its memory allows.
  void fresh_memory(int epoch);
  void warm_up();
  /// Launch time by spans that double until they are long enough to trust. Gives up early on an arm
  /// that is past all hope.
  double estimate(std::int32_t arm, double hopeless_us);
  /// Of a span of about so many launches. Where two clocks disagree about it, again, and then it
  /// has failed. Throws ArmFailure.
  double launch_us(std::int32_t arm, std::int64_t launches);
  /// How launches reach the device, by the best time of all arms.
  void choose_path(const std::vector<std::int32_t>& arms, double best_us);
  /// The arms' sweeps of the ring, before anything is timed: it takes longer than a span. What
  /// cannot be recorded makes a stream of it for all. Throws ArmFailure.
  void record(const std::vector<std::int32_t>& arms);
  /// Twice the ring must not be slower; if it is, the ring doubles.
  void prove_cold(std::int32_t arm);
  /// Where sweeps of the ring take far longer than a span has to, and recording them longer still:
  /// a ring of as many sets as two spans need, before each of which the cache is emptied. It must
  /// not be faster than the long ring, else that stays.
  void shorten_ring(std::int32_t arm);
  /// For an arm whose launch takes so long.
  SpanLength length_of(std::int32_t arm, double us) const;
  bool two_lengths() const { return rules_.two_lengths && path_ != LaunchPath::single; }

  /// The arms in this order and back, by spans of two lengths or only of the short one.
  std::vector<Visit> there_and_back(std::vector<std::int32_t> order,
                                    const std::vector<SpanLength>& lengths, bool two);
  /// What the path that is timed leaves in the memory that is there. Throws ArmFailure where a
  /// launch fails.
  Outcome check_path(std::int32_t arm);
  /// Reads the reference copy: its drift from what it usually takes; 0 where there is none.
  double reference_drift();
  /// The readings since the last epoch that was kept belong to one that is kept now.
  void keep_reference();
  /// Or to one that is repeated.
  void forget_reference() { readings_.clear(); }

 private:
  Span span(std::int32_t arm, std::int64_t launches);
  /// In their order, up to the first that fails.
  std::vector<Span> spans(const std::vector<SpanRequest>& requests);
  std::int32_t number_of(const BoundArm& arm) const;
  void saw(std::int32_t arm, const Span& span);
  /// From here on no arm runs.
  void prepare() const;
  void open_timer();
  bool clocks_agree(const Span& span) const;
  Visit::Verdict verdict_of(std::int32_t arm, const Span& span);
  double time_of_ring(std::int32_t arm);
  double time_of_short_ring(std::int32_t arm);
  void open_ring(int epoch);

  Device& device_;
  const Case& which_;
  const RaceOptions& options_;
  const SpanAhead& ahead_;
  std::int32_t probed_ = 0, left_ = 0;
  const DigestRegions& digests_;
  RaceResult& result_;
  bool asynchronous_;
  const RaceRules& rules_;
  RingPlan plan_;
  std::int64_t ring_bytes_max_ = 0;
  TensorImages images_;
  std::vector<BoundArm> bound_;
  std::unique_ptr<Ring> ring_;
  std::optional<SpanTimer> timer_;
  std::optional<Thermometer> thermometer_;
  LaunchPath path_ = LaunchPath::stream;
  bool short_ring_ = false;  ///< the cache is emptied before each span
  double copy_us_ = 0;       ///< that this takes
  double span_us_min_ = 0;
  double begin_us_ = 0;
  std::vector<double> seen_us_;  ///< per launch list, of each arm's last span; 0 for none
  std::vector<std::vector<double>> core_mhz_;  ///< per arm
  double warm_mhz_ = 0;                        ///< after the warm-up
  std::vector<double> readings_;               ///< since the last epoch that was kept
};

}  // namespace fusetune

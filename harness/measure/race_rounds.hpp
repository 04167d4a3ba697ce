#pragma once
// The epochs of a race and their rounds: what was disturbed is left out for all, or run again.

#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include "harness/measure/race_bench.hpp"

namespace fusetune {

class RaceRounds {
 public:
  RaceRounds(RaceBench& bench, const RaceOptions& options, RaceResult& result)
      : bench_(bench),
        options_(options),
        result_(result),
        random_(options.seed),
        rejections_(bench.arm_count()) {}

  std::vector<std::int32_t> shuffled(std::vector<std::int32_t> arms);
  /// Whether another epoch like the last one would end after this share of the budget.
  bool is_spent(double share);
  /// Fresh memory and its rounds; again, after a rest, where the memory was slower or faster than
  /// it usually is. Adds the samples. `far` of the arms take part until they have a round. Throws
  /// ArmFailure.
  void run_epoch(int epoch, int rounds, const std::vector<std::int32_t>& alive,
                 const std::set<std::int32_t>& far, const std::vector<SpanLength>& lengths);
  /// A round of short spans on the memory that is there.
  void screen(int epoch, int round, const std::vector<std::int32_t>& alive,
              const std::vector<SpanLength>& lengths);

 private:
  struct Field {
    const std::vector<std::int32_t>& alive;
    const std::vector<SpanLength>& lengths;
    bool two_lengths;
  };
  struct Place {
    int epoch = 0, round = 0;
    bool last = false;  ///< round of its epoch
  };
  struct Placed {
    Visit visit;
    Place at;
  };
  void touch_memory(const Field& field);
  void run_round(const Field& field, Place place, std::vector<Placed>& placed);
  std::set<std::int32_t> bad_arms(const std::vector<Visit>& visits);
  void add_round(const Field& field, const std::vector<Visit>& visits,
                 const std::set<std::int32_t>& bad, bool most, Place place,
                 std::vector<Placed>& placed);
  /// Which of the arms have samples already.
  static std::set<std::int32_t> with_samples(const std::set<std::int32_t>& arms,
                                             const std::vector<Placed>& placed);
  void add_samples(const std::vector<Placed>& placed);

  RaceBench& bench_;
  const RaceOptions& options_;
  RaceResult& result_;
  std::mt19937_64 random_;
  std::vector<int> rejections_;  ///< per arm, rounds in a row
  double epoch_us_ = 0;
};

}  // namespace fusetune

#pragma once
// A candidate against its baseline on one case, in races of the engine: whole epochs of ABBA
// rounds, nobody is dropped, both are proved again after they were timed.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/device/device.hpp"
#include "harness/gate/two_stage.hpp"
#include "harness/measure/race.hpp"
#include "harness/process/worker_pool.hpp"
#include "harness/spec/geometry.hpp"
#include "harness/tune/session.hpp"

namespace fusetune {

/// A code object and what it launches. Its case is the one that is computed, by the version of the
/// family that the code belongs to.
struct DuelArm {
  std::filesystem::path code;
  Variant variant;
  Case which;
};

/// What all duels of a gate have in common.
struct DuelGround {
  const DeviceProperties& device;
  std::string device_name;  ///< as --device says it
  Session& session;
  WorkerPool& pool;     ///< of one worker, for the screening
  RaceOptions options;  ///< looks, arms to keep and seed are the duel's own
};

/// The options of a gate's races: nobody is dropped, nothing is confirmed, and there are more
/// rounds than where winners are looked for.
RaceOptions duel_options(bool cold, std::int64_t cache_bytes, double budget_s);

/// Who failed, and how.
struct DuelFailure {
  enum class Side { candidate, baseline, neither } side = Side::neither;
  Outcome outcome;
};

class Duel : public Pair {
 public:
  Duel(DuelGround& ground, DuelArm candidate, DuelArm baseline);

  bool add_epochs(int count, std::vector<double>& log_ratios) override;
  bool add_process(int epochs, std::vector<double>& log_ratios) override;

  const std::optional<DuelFailure>& failure() const { return failure_; }
  const std::set<std::string>& flags() const { return flags_; }
  /// Medians over all that was timed; 0 of nothing.
  double candidate_us() const;
  double baseline_us() const;
  const std::string& data() const { return data_; }  ///< "cold" or "hot"
  const std::string& path() const { return path_; }

 private:
  /// The epochs' log-ratios of one race; none where it failed.
  std::vector<double> race(WorkerPool& pool, int epochs);
  RaceResult race_once(WorkerPool& pool, int epochs, bool one_by_one);
  Job job_of(int epochs, bool one_by_one) const;
  bool is_sound(const RaceResult& result);

  DuelGround& ground_;
  DuelArm arms_[2];
  std::uint64_t races_ = 0;
  std::optional<DuelFailure> failure_;
  std::set<std::string> flags_;
  std::vector<double> medians_us_[2];
  std::string data_, path_;
};

}  // namespace fusetune

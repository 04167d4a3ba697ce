#include "harness/gate/duel.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "harness/base/hash.hpp"
#include "harness/stats/paired.hpp"
#include "harness/tune/proof_cases.hpp"
#include "harness/tune/race_stage.hpp"
#include "harness/tune/tool_code.hpp"

namespace fusetune {

namespace {

constexpr std::int32_t kCandidate = 0, kBaseline = 1;
constexpr int kRoundsOfQueue = 5;
/// A processor is shared: others may take it away for longer than a round, in a third of the
/// rounds.
constexpr int kRoundsOfHost = 15;
/// Loading, first launch, probe, and the proof after, of both arms: as long as a launch may take.
constexpr int kLongSteps = 16;

std::vector<ArmTime> times_of(const RaceResult& result) {
  std::vector<ArmTime> times;
  for (const Sample& sample : result.samples)
    times.push_back({sample.arm, sample.epoch, sample.round, sample.us});
  return times;
}

double median_of(const std::vector<double>& values) { return values.empty() ? 0 : median(values); }

}  // namespace

RaceOptions duel_options(bool cold, std::int64_t cache_bytes, double budget_s) {
  RaceOptions options;
  options.cold = cold;
  options.cache_bytes = cache_bytes;
  options.budget_s = budget_s;
  options.keep = {kCandidate, kBaseline};
  options.immediate.rounds = kRoundsOfHost;
  options.queued.rounds = kRoundsOfQueue;
  options.queued.finalists = 0;
  return options;
}

Duel::Duel(DuelGround& ground, DuelArm candidate, DuelArm baseline)
    : ground_(ground), arms_{std::move(candidate), std::move(baseline)} {}

Job Duel::job_of(int epochs, bool one_by_one) const {
  const EngineOptions& engine = ground_.session.options;
  const Case& which = arms_[kCandidate].which;
  const std::string key = which.key();
  // Other offsets of memory, and on the simulated device other noise, in each race.
  const std::uint64_t number[] = {engine.seed, races_, hash64(key.data(), key.size())};
  RaceOptions options = ground_.options;
  options.immediate.looks = {epochs};
  options.queued.looks = {epochs};
  options.one_by_one = one_by_one;
  options.seed = hash64(number, sizeof number) >> 16;
  Json arms = Json::array();
  for (const DuelArm& arm : arms_)
    arms.push_back({{"code", arm.code.string()},
                    {"variant", to_json(arm.variant)},
                    {"case", to_json(arm.which)}});
  Job job;
  job.request = Json{{"op", "race"},
                     {"device", ground_.device_name},
                     {"digest_code", digest_code_path(ground_.device.target, engine)},
                     {"case", to_json(which)},
                     {"arms", std::move(arms)},
                     {"session", options.seed},
                     {"prove_again", is_proved_at_own_shape(which, engine)},
                     {"options", to_json(options)}};
  job.noted_limit = kernel_limit(engine);
  job.limit_floor = kernel_limit_floor(engine);
  job.limit = std::chrono::seconds(60 + static_cast<std::int64_t>(10 * options.budget_s)) +
              kLongSteps * job.noted_limit;
  job.second_try = true;
  job.company = Company::none;
  return job;
}

RaceResult Duel::race_once(WorkerPool& pool, int epochs, bool one_by_one) {
  RaceResult result;
  result.outcome = {Status::skipped, "not timed before the run was interrupted"};
  Job job = job_of(epochs, one_by_one);
  job.done = [&result](const JobEnd& end) {
    if (end.how != JobEnd::How::cancelled) result = race_result_of(end, 2);
  };
  pool.submit(std::move(job));
  pool.run(ground_.session.stop, [this] { ground_.session.progress.tick(); });
  return result;
}

bool Duel::is_sound(const RaceResult& result) {
  const auto side = [](std::int32_t arm) {
    return arm == kCandidate  ? DuelFailure::Side::candidate
           : arm == kBaseline ? DuelFailure::Side::baseline
                              : DuelFailure::Side::neither;
  };
  if (!result.outcome.ok())
    failure_ = DuelFailure{side(result.failed_arm), result.outcome};
  else if (!result.disproved.empty())
    failure_ = DuelFailure{side(result.disproved.front().arm), result.disproved.front().outcome};
  return !failure_;
}

std::vector<double> Duel::race(WorkerPool& pool, int epochs) {
  ++races_;
  RaceResult result = race_once(pool, epochs, false);
  // Who of two in the queue failed is found out one span at a time.
  if (!result.outcome.ok() && result.unsure) result = race_once(pool, epochs, true);
  if (!is_sound(result)) return {};
  flags_.insert(result.flags.begin(), result.flags.end());
  data_ = result.data;
  path_ = result.path;
  const std::vector<ArmTime> times = times_of(result);
  for (const std::int32_t arm : {kCandidate, kBaseline})
    medians_us_[arm].push_back(summarise_arm(times, arm).median_us);
  std::vector<double> log_ratios = compare_arms(times, kBaseline, kCandidate).epoch_log_ratios;
  if (log_ratios.empty())
    failure_ = DuelFailure{DuelFailure::Side::neither,
                           {Status::launch_error, "no epoch had both of them timed"}};
  return log_ratios;
}

bool Duel::add_epochs(int count, std::vector<double>& log_ratios) {
  const std::vector<double> own = race(ground_.pool, std::max(2, count));
  log_ratios.insert(log_ratios.end(), own.begin(), own.end());
  return !own.empty();
}

bool Duel::add_process(int epochs, std::vector<double>& log_ratios) {
  WorkerPool fresh(worker_role("device", 1));
  const std::vector<double> own = race(fresh, std::max(2, epochs));
  if (own.empty()) return false;
  log_ratios.push_back(std::accumulate(own.begin(), own.end(), 0.0) /
                       static_cast<double>(own.size()));
  return true;
}

double Duel::candidate_us() const { return median_of(medians_us_[kCandidate]); }
double Duel::baseline_us() const { return median_of(medians_us_[kBaseline]); }

}  // namespace fusetune

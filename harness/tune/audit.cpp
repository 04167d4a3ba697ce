#include "harness/tune/audit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "harness/base/hash.hpp"
#include "harness/base/temporary_folder.hpp"
#include "harness/stats/paired.hpp"

namespace fusetune {

namespace {

// Two sessions differ by more than the intervals within each: clocks, neighbours and placement
// (sigma about 2.5 % each on a quiet GPU; three sigma of the difference).
constexpr double kSessionNoise = 0.10;

bool is_chosen(const StepRecord& step, double share, std::uint64_t seed) {
  if (step.kind != StepRecord::Kind::proof && step.kind != StepRecord::Kind::race) return false;
  const std::uint64_t draw = hash64(step.key.data(), step.key.size(), seed);
  return std::ldexp(static_cast<double>(draw >> 11), -53) < share;
}

std::vector<ArmTime> times_of(const RaceResult& race) {
  std::vector<ArmTime> times;
  for (const Sample& sample : race.samples)
    times.push_back({sample.arm, sample.epoch, sample.round, sample.us});
  return times;
}

/// Half of the interval, on logs.
double half_width(const ArmSummary& summary) {
  return summary.low_us > 0 && std::isfinite(summary.high_us)
             ? std::log(summary.high_us / summary.low_us) / 2
             : 0;
}

std::string outcome_text(const StepRecord& step) {
  std::string text(to_string(step.status));
  if (!step.message.empty()) text += ": " + step.message;
  return text;
}

class Audit {
 public:
  explicit Audit(AuditReport& report) : report_(report) {}

  void compare(const StepRecord& recorded, const StepRecord& fresh) {
    ++(recorded.kind == StepRecord::Kind::proof ? report_.proofs : report_.races);
    if (recorded.status != fresh.status) {
      find(recorded, fmt::format("recorded is {}, but now it is {}", outcome_text(recorded),
                                 outcome_text(fresh)));
      return;
    }
    if (recorded.kind != StepRecord::Kind::race || recorded.status != Status::ok) return;
    const RaceResult old_race = race_from_json(recorded.data.at("result"));
    const RaceResult new_race = race_from_json(fresh.data.at("result"));
    for (const std::string& difference : race_differences(
             old_race, new_race, recorded.data.at("arms").get<std::vector<std::string>>()))
      find(recorded, difference);
  }

 private:
  void find(const StepRecord& recorded, std::string what) {
    report_.findings.push_back({recorded.kind, recorded.key, recorded.subject, std::move(what)});
  }

  AuditReport& report_;
};

}  // namespace

ExitCode AuditReport::exit_code() const {
  ExitCode code = interrupted ? ExitCode::interrupted : ExitCode::pass;
  for (const AuditFinding& finding : findings)
    code = worst_of(code, finding.kind == StepRecord::Kind::proof ? ExitCode::verification_failed
                                                                  : ExitCode::inconclusive);
  return code;
}

AuditReport audit_store(Session& session, double share, std::uint64_t seed,
                        const std::function<bool(Session&)>& again) {
  AuditReport report;
  report.done = true;
  report.share = share;
  report.seed = seed;
  Audit audit(report);
  const TemporaryFolder nowhere("fusetune-audit");
  Session hidden = session;
  hidden.options.results = nowhere.path();
  hidden.options.retry_failed = false;
  session.records.audit(
      [share, seed](const StepRecord& step) { return is_chosen(step, share, seed); },
      [&audit](const StepRecord& recorded, const StepRecord& fresh) {
        audit.compare(recorded, fresh);
      });
  report.interrupted = again(hidden);
  session.records.audit({}, {});
  return report;
}

std::vector<std::string> race_differences(const RaceResult& recorded, const RaceResult& fresh,
                                          const std::vector<std::string>& arms) {
  const std::vector<ArmTime> old_times = times_of(recorded);
  const std::vector<ArmTime> new_times = times_of(fresh);
  std::set<std::int32_t> both;
  for (const ArmTime& time : old_times)
    if (std::any_of(new_times.begin(), new_times.end(),
                    [&](const ArmTime& other) { return other.arm == time.arm; }))
      both.insert(time.arm);
  std::vector<std::string> differences;
  for (const std::int32_t arm : both) {
    const ArmSummary before = summarise_arm(old_times, arm);
    const ArmSummary now = summarise_arm(new_times, arm);
    const double difference = std::abs(std::log(now.median_us / before.median_us));
    if (difference <= half_width(before) + half_width(now) + kSessionNoise) continue;
    const auto index = static_cast<std::size_t>(arm);
    differences.push_back(
        fmt::format("{}: recorded are {:.2f} us ({:.2f} to {:.2f}), but now it takes {:.2f} us "
                    "({:.2f} to {:.2f})",
                    index < arms.size() ? arms[index] : "?", before.median_us, before.low_us,
                    before.high_us, now.median_us, now.low_us, now.high_us));
  }
  return differences;
}

}  // namespace fusetune

#pragma once
// All candidates against one baseline file: what is settled without a clock, what is timed, and the
// finding of each case.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/gate/baseline_side.hpp"
#include "harness/gate/candidates.hpp"
#include "harness/gate/null_test.hpp"
#include "harness/gate/timed_gate.hpp"
#include "harness/measure/calibration.hpp"

namespace fusetune {

class Contest {
 public:
  struct Terms {
    std::string rule;     ///< "perf/ratio", "perf/anchor"
    std::string against;  ///< "the baseline", "the anchor"
    std::filesystem::path file;
    std::string reproduce;
    double delta = 0.03;
    bool by_family = false;  ///< TimedGateRequest::family_delta counts
  };
  /// References must outlive it. Compiles and proves what is accepted, and finds out which code is
  /// the candidate's own.
  Contest(Terms terms, const BaselineFile& baseline, const TimedGateRequest& request,
          const Candidates& candidates, const DeviceProperties& device, Session& session);

  /// Candidates that have to be timed against other code, or against themselves.
  const std::vector<std::size_t>& to_time() const { return timed_; }
  /// Times them. `noise` comes from null_tests().
  void time(DuelGround& ground, double noise, const std::optional<Calibration>& calibration);
  /// Adds the findings and the suites.
  void report(GateReport& report);

 private:
  struct Entry {
    Finding finding;
    std::optional<std::size_t> number;  ///< in the baseline's side
    bool identical = false;
    std::unique_ptr<Duel> duel;
    PairResult result;
  };
  void open(std::size_t i);
  void settle_unproved(std::size_t i, const Outcome& outcome);
  void compare_codes();
  void choose_null_pairs();
  void conclude(std::size_t i, double noise, const std::optional<Calibration>& calibration);
  void conclude_failure(const DuelFailure& failure, Finding& finding) const;
  void add_suites(GateReport& report) const;
  void add_unselected(GateReport& report) const;
  double delta_of(std::size_t i) const;
  SourcePlace place_of(std::size_t i) const;

  Terms terms_;
  const BaselineFile& baseline_;
  const TimedGateRequest& request_;
  const Candidates& candidates_;
  const DeviceProperties& device_;
  Session& session_;
  BaselineSide side_;
  std::vector<Entry> entries_;  ///< per candidate
  std::vector<std::size_t> timed_;
};

}  // namespace fusetune

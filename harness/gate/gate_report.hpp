#pragma once
// What a gate found: one finding per check, from which every output and the exit code are made.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/json.hpp"
#include "harness/base/status.hpp"
#include "harness/stats/stats.hpp"

namespace fusetune {

enum class Verdict {
  pass,
  improvement,
  regression,
  inconclusive,
  noise_limited,
  verify_fail,
  crash,  ///< a kernel crashed or hung
  no_baseline,
  env_changed,
  skipped,  ///< said and counted, never green
};

/// As in outputs: "PASS", "REGRESSION", "NO_BASELINE", ...
std::string_view to_string(Verdict verdict);

/// Where a finding belongs in a file that people edit.
struct SourcePlace {
  std::string file;
  std::int64_t line = 1, column = 1;
};

struct Finding {
  std::string rule;      ///< "perf/ratio", "static/spills", "verify/output": a rule id of SARIF
  std::string case_key;  ///< pastes back
  std::string family;
  std::string target;   ///< "host-w64", "gfx90a"
  std::string variant;  ///< of the candidate
  Verdict verdict = Verdict::pass;
  std::string reason;                        ///< one sentence
  std::optional<Interval> ratio;             ///< candidate over baseline: above 1 is slower
  std::optional<double> detectable_percent;  ///< the smallest slowdown that could have been seen
  std::map<std::string, double> numbers;     ///< with their units in their names
  std::vector<std::string> chain;            ///< how it was decided, step by step
  SourcePlace place;
  std::string reproduce;  ///< the command that shows it again
  std::string group;      ///< "decode", "prefill", or "" where nothing is timed
  double seconds = 0;     ///< that the check took
};

/// Of all timed findings of a group together.
struct SuiteFinding {
  std::string group;
  Verdict verdict = Verdict::pass;
  std::optional<Interval> ratio;  ///< geometric mean, with its interval over cases
  std::int64_t cases = 0;
  std::string reason;
};

struct GateReport {
  std::string name;  ///< of the sweep or the selection
  Json session;      ///< the fingerprint of measurement 2.5
  std::vector<Finding> findings;
  std::vector<SuiteFinding> suites;
  std::int64_t compared = 0;  ///< findings that compared something; a gate without one fails
  std::int64_t expected = 0;  ///< cases and targets that the selection and the baseline name
  bool interrupted = false;
};

struct GateRules {
  bool strict = false;            ///< inconclusive findings fail
  bool require_baseline = false;  ///< a case without baseline fails
};

/// Of measurement 2.6; nothing compared is `unusable`.
ExitCode exit_code_of(const GateReport& report, const GateRules& rules);

}  // namespace fusetune

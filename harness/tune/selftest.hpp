#pragma once
// Planted bugs: every mutant must be found, and by the check that is said to find it; every check
// that applies to the family finds one; the shipped kernel never raises an alarm.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/tune/compile_stage.hpp"
#include "harness/tune/proof_stage.hpp"
#include "harness/tune/session.hpp"

namespace fusetune {

/// A change to the first dimension of every grid.
struct LaunchChange {
  std::int64_t blocks = 0;       ///< so many instead, 0: as planned
  std::int64_t blocks_less = 0;  ///< so many fewer

  bool any() const { return blocks != 0 || blocks_less != 0; }
};

/// A check that may find a mutant, and with which status: a launch can fail for many reasons.
struct Killer {
  std::string check;
  std::optional<Status> status;  ///< none: any
};

/// One planted bug: a change to a source or header, or to the launches.
struct Mutant {
  std::string name;
  std::string about;
  std::string file, replace, with;  ///< empty file: the source stays
  LaunchChange launch;
  Case which;
  Variant variant;
  std::vector<Killer> killed_by;
  Mark mark;
};

/// tests/mutants/<family>.yaml. Throws UserError with place and nearest names.
std::vector<Mutant> load_mutants(const std::filesystem::path& file);

struct MutantVerdict {
  std::string name;
  std::string about;
  Status status = Status::ok;
  std::string check;  ///< that found it, "" when it lived
  std::string message;
  bool killed = false;  ///< by one of the checks that are said to
};

struct SelftestSummary {
  std::vector<MutantVerdict> mutants;
  std::int64_t true_runs = 0;             ///< proofs of the shipped kernel, over the seeds
  std::vector<std::string> false_alarms;  ///< "case, seed: message"
  /// Checks that apply to the family and killed no mutant.
  std::vector<std::string> unproven_checks;
  bool interrupted = false;

  bool passed() const;
};

/// Throws UserError when a patch no longer fits its source, or nothing can be compiled here. Code
/// objects go to a temporary store: the user's never holds a mutant.
SelftestSummary selftest(const std::vector<Mutant>& mutants, const std::string& device, int seeds,
                         Session& session);

}  // namespace fusetune

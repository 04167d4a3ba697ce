#pragma once
// Planted bugs: every mutant must be found in each mode, and by the check that is said to find it;
// the shipped kernel never raises an alarm; every group of checks finds something that lives
// without it.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "harness/base/json.hpp"
#include "harness/process/worker_pool.hpp"
#include "harness/selftest/mutants.hpp"
#include "harness/tune/session.hpp"

namespace fusetune {

struct SelftestChoice {
  std::string device;
  std::vector<ProofMode> modes;  ///< among modes_of() the device's target
  int seeds = 1;                 ///< for false alarms
  /// A group that is switched off in every proof of a mutant, "" for none.
  std::string without;
  /// Whether each found mutant is proved again without the group that found it, or only those that
  /// are there for this device alone.
  bool again_without = true;
};

/// What became of one mutant in one mode.
struct MutantVerdict {
  std::string name;
  std::string about;
  ProofMode mode = ProofMode::exact;
  Status status = Status::ok;
  std::string check;  ///< that found it, "" when it lived
  std::string message;
  bool killed = false;        ///< by one of the checks that are said to
  std::string out_of_reach;   ///< why this mode need not find it; such a mutant counts as no kill
  std::string lives_without;  ///< the group of checks that alone finds it

  /// "race", "poison": the check, or why the launch failed.
  std::string found_by() const;
};

struct SelftestSummary {
  std::string family;
  std::string device;
  std::vector<MutantVerdict> mutants;     ///< by name, then mode
  std::int64_t true_runs = 0;             ///< proofs of the shipped kernel, over seeds and modes
  std::vector<std::string> false_alarms;  ///< "mode, case, variant, seed: message"
  bool interrupted = false;

  bool passed() const;
  std::int64_t killed(ProofMode mode) const;
  std::int64_t within_reach(ProofMode mode) const;
  std::vector<const MutantVerdict*> out_of_reach(ProofMode mode) const;
};

/// Throws UserError when a patch no longer fits its source, or nothing can be compiled here. Code
/// objects go to a temporary store: the user's never holds a mutant. `workers` are of the role
/// "device"; after an exception they still have jobs of this family.
SelftestSummary selftest(const MutantFile& file, const SelftestChoice& choice, Session& session,
                         WorkerPool& workers);

/// A group of checks that nothing in the summaries needs in a mode, where it could be needed.
struct UnprovenGroup {
  std::string group;
  ProofMode mode = ProofMode::exact;
};
std::vector<UnprovenGroup> unproven_groups(const std::vector<SelftestSummary>& summaries,
                                           const std::vector<ProofMode>& modes);

Json to_json(const SelftestSummary& summary);

/// The tables of mutants and what finds them, as Markdown: a section per family.
std::string mutant_tables(const std::vector<SelftestSummary>& summaries);

/// `text` with what lies between its two marker lines replaced. Throws UserError without markers.
std::string with_mutant_tables(const std::string& text, const std::string& tables);

}  // namespace fusetune

#pragma once
// What the checks of a proof counted and found, and the one finding that names the failure.

#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/verify/proof.hpp"

namespace fusetune {

/// In the order in which a failure is named: a stray write explains a wrong value, not the reverse.
enum class Check {
  launch,
  guards,
  row_padding,
  inputs_unchanged,
  writers,  ///< EXACT: every element of an output was written by some thread
  poison,
  exact,
  values,  ///< element rules of outputs that are not compared byte for byte: class, ulp, bound,
           ///< code
  norms,   ///< their rules over blocks and whole outputs
  untouched,
  calls,         ///< second and further calls, with the state of the one before
  alias,         ///< an output in the memory of an input
  input_impact,  ///< every input matters, to the reference and to the kernel
  back_to_back,  ///< two argument sets without a synchronise between them
  baseline,      ///< the unfused implementation's results point the same way and are as long
  determinism,
  batch_invariance  ///< a row has the same bits in every batch; only where that is asked
};
constexpr std::size_t kCheckCount = static_cast<std::size_t>(Check::batch_invariance) + 1;
std::string_view to_string(Check check);

class Findings {
 public:
  /// Violations of checks named in `off`, and launches that ended with a status named there, are
  /// not taken: a self-test switches checks off to see what else finds a bug.
  explicit Findings(std::set<std::string> off = {});

  /// Adds to what a check compared; the first call makes the check appear in the report.
  void count(Check check, std::int64_t comparisons, std::string_view unit);

  /// One violation; only the first eight of a check are kept, all are counted.
  void add(Check check, Status status, Mismatch mismatch);
  /// Whether nobody needs the violation's text: eight are kept, or the check is off. Counts the
  /// violation then.
  bool count_only(Check check);

  /// Takes over what a part of the protocol with runs of its own found. Failed launches stay
  /// failed launches; every other violation becomes one of `as`. `where` precedes the texts.
  void fold(const Findings& part, Check as, std::string_view where);

  /// Takes over all that was counted and found, as it is.
  void absorb(const Findings& part);
  /// With the same checks off.
  Findings none_yet() const { return Findings(off_); }

  bool any() const;
  std::int64_t comparisons(Check check) const;

  /// Fills checks, mismatches, outcome and failed_check; the first failed check in order decides.
  void conclude(ProofReport* report) const;

 private:
  static constexpr std::size_t kMismatchesKept = 8;
  struct Entry {
    bool ran = false;
    CheckCount count;
    Status status = Status::ok;
    std::int64_t mismatch_count = 0;
    std::vector<Mismatch> mismatches;
  };
  bool is_off(Check check) const { return off_checks_[static_cast<std::size_t>(check)]; }
  bool is_off(Check check, Status status) const;
  Entry& entry(Check check) { return entries_[static_cast<std::size_t>(check)]; }
  const Entry& entry(Check check) const { return entries_[static_cast<std::size_t>(check)]; }

  std::set<std::string> off_;
  std::array<bool, kCheckCount> off_checks_{};  ///< asked once per wrong element
  std::array<Entry, kCheckCount> entries_;
};

}  // namespace fusetune

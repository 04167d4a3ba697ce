#pragma once
// Golden files against the reference and against every variant of a space.

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "harness/tune/compile_stage.hpp"
#include "harness/tune/proof_stage.hpp"
#include "harness/verify/golden.hpp"

namespace fusetune {

struct GoldenVerdict {
  std::string name;  ///< of the golden case
  std::string case_key;
  std::string source;
  Outcome reference;          ///< of the reference against the file, or of a table's codec
  bool is_truth = false;      ///< no reference to compare: the family's truth is captured
  bool has_variants = true;   ///< a table of casts may have a codec alone
  std::int64_t variants = 0;  ///< compared
  std::int64_t failed = 0;
  std::vector<std::string> failures;  ///< "variant: message", the first few
  std::vector<CheckCount> checks;

  bool passed() const { return reference.ok() && (variants > 0 || !has_variants) && failed == 0; }
};

struct GoldenChoice {
  SpaceChoice space;
  std::set<std::string> cases;  ///< names; all when empty
  bool tables = true;           ///< of casts as well, which have nothing to do with the device

  bool takes(const std::string& name) const { return cases.empty() || cases.count(name) != 0; }
};

struct GoldenSummary {
  std::vector<GoldenVerdict> verdicts;
  std::vector<std::string> names;  ///< of all cases in the file, chosen or not
  /// Cases in the file that no family maps, chosen or not, with their family's name there.
  std::vector<std::string> unmapped;
  std::int64_t chosen_unmapped = 0;
  std::int64_t lenders = 0;  ///< chosen entries that only hold inputs of others
  std::int64_t compiled = 0;
  bool interrupted = false;
};

/// Throws UserError for an unreadable file, or a case that does not fit its mapping.
GoldenSummary verify_golden(const std::filesystem::path& file, const GoldenChoice& choice,
                            const std::string& device, Session& session);

/// The worker's side of one request ("golden").
Json handle_golden_request(Device& device, const Json& request);

}  // namespace fusetune

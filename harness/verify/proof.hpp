#pragma once
// The proof of (code identity, launch plan, case): what was run, what was compared, and what came
// of it.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "harness/device/device.hpp"
#include "harness/spec/geometry.hpp"

namespace fusetune {

class Exchange;
class ProofCache;

/// One kind of check with how much it compared. A proof whose checks compared nothing at all has
/// failed, except where the case has no bytes.
struct CheckCount {
  std::string
      name;  ///< "exact", "poison", "guards", "row_padding", "inputs_unchanged", "determinism", ...
  std::int64_t comparisons = 0;  ///< elements, bytes or runs; `unit` says which
  std::string unit;
};

struct Mismatch {
  std::string tensor;
  std::int64_t index = 0;  ///< element, padding not counted
  std::string text;  ///< "q of head 3, element 17, token 5 holds v of head 1, element 17, token 5"
};

/// What the ladder measured of one output, over all passes: the worst of each.
struct OutputMetrics {
  std::string tensor;
  std::string rule;           ///< "exact", "ulp <= 1", "bound", "code", ..., joined by " and "
  std::int64_t elements = 0;  ///< compared
  double abs_error_max = 0;
  double rel_error_max = 0;  ///< over elements whose truth is not 0
  double ulp_max = 0;        ///< in the output's type; 0 for codes
  double relative_l2 = 0;    ///< |x - truth| / |truth|
  double cosine = 1;
  double norm_ratio = 1;  ///< |x| / |truth|
  /// The same against the baseline's output, in elements of one pass.
  std::int64_t baseline_elements = 0;
  double baseline_cosine = 1, baseline_norm_ratio = 1;
  double share_of_limit_max = 0;  ///< the worst error over its limit: above 1 fails
  std::int64_t codes_off = 0;     ///< codes that are not the reference's own, ties among them
  std::int64_t worst_index = -1;
  std::string worst;  ///< in the words of the family, with its inputs
};

/// Why a proof ended as it did, with the check that found it.
struct ProofReport {
  Outcome outcome;
  std::string failed_check;  ///< name of the check, "" when all passed
  std::vector<CheckCount> checks;
  std::int64_t mismatch_count = 0;
  std::vector<Mismatch> mismatches;  ///< the first eight
  std::int64_t passes = 0;  ///< full checks against expected outputs; large cases get fewer
  std::int64_t launches = 0;
  std::uint64_t seed = 0;
  std::string target;
  std::string mode;  ///< "exact" or "fast"
  std::vector<OutputMetrics> outputs;
  /// Steps of the protocol that were left out, each with its reason.
  std::vector<std::string> skipped;
  std::string mismatch_map;  ///< rows of '.' and '#': which tiles of the worst output are wrong
  double wall_ms = 0;
};

Json to_json(const CheckCount& check);
Json to_json(const Mismatch& mismatch);
Json to_json(const OutputMetrics& output);
/// Without the figures that are those of an exact output. A store has one for every output proved.
Json to_record(const OutputMetrics& output);
Json to_json(const ProofReport& report);
template <typename Part>
Json to_json(const std::vector<Part>& parts) {
  Json list = Json::array();
  for (const Part& part : parts) list.push_back(to_json(part));
  return list;
}
/// These throw when a field is missing or of another kind.
CheckCount check_count_from_json(const Json& json);
Mismatch mismatch_from_json(const Json& json);
/// From either.
OutputMetrics output_metrics_from_json(const Json& json);
ProofReport proof_from_json(const Json& json);

/// The code objects of a variant and its launches on this device, ready to run. Instrumented code
/// is proved in EXACT mode.
struct RunnableVariant {
  const LoadedCode* code = nullptr;
  std::vector<Launch> launches;
  /// Called with true before launches are enqueued, and with false when they are done or failed.
  std::function<void(bool)> around_launches{};
};

struct ProofOptions {
  std::uint64_t seed = 1;
  int determinism_runs = 2;  ///< further launches on other schedules whose output must be identical
  std::size_t large_bytes = std::size_t{64} << 20;  ///< of tensors; a larger case gets two passes
                                                    ///< and one determinism run
  /// Whether a small case gets the parts that stand for a whole variant as well: edge values of
  /// inputs, aliases, input impact, back-to-back launches.
  bool thorough = true;
  /// Compared with on such a case, where any output is not exact; nullptr: nothing to compare with.
  const RunnableVariant* baseline = nullptr;
  double cosine_min = -1;  ///< a sweep's own demand on every output, beside the family's; -1: none
  ProofCache* cache = nullptr;  ///< of what other proofs of the case have made; nullptr: none
  Exchange* exchange = nullptr;  ///< with the device; nullptr: a plain one
  /// Checks and statuses of failed launches that do not count, by name: the self-test shows with it
  /// what each of them alone finds.
  std::set<std::string> off{};
};

/// Proves one variant on one case. Never throws for a wrong kernel.
ProofReport prove(Device& device, const RunnableVariant& variant, const Case& which,
                  const ProofOptions& options);

}  // namespace fusetune

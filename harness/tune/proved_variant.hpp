#pragma once
// What is known of one variant of one geometry after its proof: summed up by the worker that
// proves it, kept as a record.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/store/record_store.hpp"
#include "harness/verify/batch_check.hpp"
#include "harness/verify/proof.hpp"

namespace fusetune {

struct ProvedVariant {
  std::size_t geometry = 0;
  std::size_t variant = 0;
  Outcome outcome{Status::skipped, "not proved"};
  std::string failed_case;  ///< key of the case that failed
  std::string failed_check;
  std::int64_t cases = 0;              ///< proved, this one's code on this plan
  std::int64_t exact_cases = 0;        ///< of them, with instrumented code
  std::vector<CheckCount> checks;      ///< summed over the cases
  std::vector<OutputMetrics> outputs;  ///< the worst over the cases
  std::vector<std::string> left_out;   ///< of the protocol, with reasons
  std::vector<Mismatch> mismatches;    ///< of the failed case
  std::int64_t mismatch_count = 0;
  std::string mismatch_map;
  std::optional<BatchInvariance> batch;  ///< where the geometry asks for it

  /// "exact", "fast" or "exact and fast"; "" when nothing was proved.
  std::string modes() const;
};

/// Sums up the cases of one proof, up to the first that fails.
class ProofSum {
 public:
  ProofSum() { proved_.outcome = {}; }
  void add(const std::string& case_key, const ProofReport& report);
  void add_batches(const std::string& case_key, const Outcome& outcome,
                   const BatchInvariance& found);
  bool ok() const { return proved_.outcome.ok(); }
  ProvedVariant take();  ///< nothing compared is a failure

 private:
  ProvedVariant proved_;
};

/// What a record holds besides status and message.
Json data_of(const ProvedVariant& proved);
ProvedVariant proved_from_record(const StepRecord& step);

/// A worker's answer to "prove".
Json answer_of(const ProvedVariant& proved);
ProvedVariant proved_from_answer(const Json& answer);

}  // namespace fusetune

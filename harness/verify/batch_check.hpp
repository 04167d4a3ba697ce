#pragma once
// Batch invariance: a row gets the same bits however many rows it shares a call with, and wherever
// among them it stands. Servers that batch requests need it for answers that can be repeated.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/verify/proof.hpp"

namespace fusetune {

/// What runs of one variant at several row counts showed.
struct BatchInvariance {
  std::int64_t rows = 0;                 ///< of the batch that all others are compared with
  std::vector<std::int64_t> row_counts;  ///< compared with it
  std::int64_t bytes = 0;                ///< compared
  /// The first difference: "row 3 of y, element 17: 0x3f81 among 65 rows, 0x3f80 among 512"; ""
  /// when there is none.
  std::string difference;
  /// Of what the batch's results hold: variants with equal digests give a row the same bits.
  std::string digest;

  /// Nothing compared is no success.
  bool qualifies() const { return bytes > 0 && !digest.empty() && difference.empty(); }
};

Json to_json(const BatchInvariance& batch);
BatchInvariance batch_invariance_from_json(const Json& json);

/// The launches of a variant at any row count.
using VariantAt = std::function<RunnableVariant(const Case&)>;

/// Runs `batch`, then as many of its rows as each count says, from several places of it: rows of
/// inputs are copied, all else is the same. Counts above the batch's have its rows behind others.
/// What a smaller call changes of tensors without rows, such as a cache, has to be what the batch
/// made of it. Fails where a run does; a tensor whose shape follows the row count otherwise than by
/// a dimension of its own is a difference.
Outcome check_batches(Device& device, const VariantAt& variant_at, const Case& batch,
                      const std::vector<std::int64_t>& row_counts, std::uint64_t seed,
                      BatchInvariance* found);

}  // namespace fusetune

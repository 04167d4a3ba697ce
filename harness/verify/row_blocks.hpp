#pragma once
// A large case, judged by blocks of its rows: the reference of all rows at once takes several times
// the memory of the case.

#include <cstdint>
#include <optional>

#include "harness/verify/results.hpp"

namespace fusetune {

/// Whether each row of the results depends on its own inputs alone, and blocks are no more work
/// than the whole.
bool is_judged_by_rows(const Case& which);

/// Of the largest tensor that follows the rows: small enough to stay in a processor's cache.
constexpr std::int64_t kBlockElements = 256 << 10;

/// As check_results(), with what the reference makes of each block; `expected` and `truths` of the
/// passes are not used. Norms of whole outputs are those of blocks. Of a result that has no rows,
/// such as a cache, each block is judged by what its rows change of it, in the pages that they
/// touch where the cache has pages, and what none changes has to stay. Nothing when anything is
/// wrong: the whole case has to tell.
std::optional<ResultMetrics> check_by_rows(const Case& which, const reference::Reference& reference,
                                           std::span<const Pass> passes, Findings* findings,
                                           double cosine_min,
                                           std::int64_t block_elements = kBlockElements);

}  // namespace fusetune

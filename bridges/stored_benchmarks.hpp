#pragma once
// Times of a record store as benchmarks of Google Benchmark's: what was measured is told again,
// nothing is measured anew.

#include <cstddef>
#include <filesystem>

#include "harness/export/observations.hpp"

namespace fusetune::bridge {

struct StoredBenchmarkOptions {
  std::filesystem::path store = ".fusetune";
  std::filesystem::path results = "results";
  ExportSelection selection;
  bool all = false;  ///< every variant that was timed, by its key
};

/// Registers, for each case, its winner (what the table names) and its baseline, or all variants.
/// Each sample is a repetition of one iteration, with manual time. Returns how many. Throws
/// UserError where there is nothing to tell.
std::size_t register_stored(const StoredBenchmarkOptions& options);

}  // namespace fusetune::bridge

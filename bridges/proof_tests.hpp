#pragma once
// Every proof of a sweep as a test of GoogleTest's: "FAMILY(GEOMETRY).VARIANT".

#include <cstddef>
#include <filesystem>
#include <string>

namespace fusetune::bridge {

struct ProofTestOptions {
  std::filesystem::path sweep;
  std::string device;                ///< instead of the sweep's
  std::string space;                 ///< instead of the sweep's
  std::filesystem::path store;       ///< kept between runs; empty: of this run alone
  std::string program = "fusetune";  ///< that messages tell to run
};

/// Registers one test per geometry and variant of the sweep, in the plan's order, and what proves
/// those of them that were selected, all at once, before the first one runs. Returns how many.
/// Throws UserError where the sweep is wrong or the device is not there.
std::size_t register_proofs(const ProofTestOptions& options);

}  // namespace fusetune::bridge

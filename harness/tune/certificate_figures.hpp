#pragma once
// What a race says of what was chosen, as certificates have it.

#include <string>
#include <vector>

#include "harness/measure/choose.hpp"
#include "harness/table/table.hpp"

namespace fusetune {

/// Times, the ratio to the baseline where there is one, regret, flips and ties. `arms`: keys of all
/// that were raced. What no race tells (launches, proofs, the search) stays as it is.
Certificate certificate_of(const Choice& choice, const std::vector<std::string>& arms,
                           bool has_baseline);

/// From the "provenance" of a race's record.
Provenance provenance_of(const Json& provenance, const std::string& data);

}  // namespace fusetune

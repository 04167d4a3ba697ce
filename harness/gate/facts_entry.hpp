#pragma once
// Facts of one variant on one target, as names and numbers that a file can hold and a rule can
// judge.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fusetune {

/// Fact -> value from 0 up, in the unit that its name says.
using Facts = std::map<std::string, std::int64_t>;

/// All names there are: of code objects, then of traces.
const std::vector<std::string>& static_fact_names();

/// Larger than any fact and any tolerance, and small enough to be added and multiplied.
constexpr std::int64_t kFactMax = std::int64_t{1} << 52;

struct FactsEntry {
  std::string geometry, variant;  ///< keys
  std::string code_identity;      ///< of a GPU's code; "" on a host, whose compiler is no GPU's
  std::map<std::string, Facts> parts;  ///< by entry of the code object; "trace" for a host's trace

  bool operator==(const FactsEntry&) const = default;
};

}  // namespace fusetune

#pragma once
// Where the geometries of a sweep's entry come from, and the cases that each of them gives.

#include <map>
#include <string>
#include <vector>

#include "harness/spec/plan.hpp"

namespace fusetune {

/// One model split, or one map of `symbols`.
struct Source {
  std::string name;  ///< "qwen3.5-27b@tp8", "nk=4,nv=32"
  bool is_model = false;
  bool named = true;  ///< false: chosen by "all", and may be unfit
  bool verified = true;
  Bindings symbols;   ///< static symbols
  Bindings options;   ///< options that the model decides
  std::string unfit;  ///< why the family has no geometry for it, "" when it has
  Mark mark;
};

std::vector<Source> sources_of(const SweepEntry& entry, const Models& models);

struct SourceCases {
  std::vector<PlannedCase> cases;    ///< weights as in the sweep
  std::vector<std::string> refused;  ///< combinations that cannot be, with the reason
};

/// Every combination of options, dtypes, strides, row counts and runtime values. Throws UserError
/// when there are too many.
SourceCases cases_of(const SweepEntry& entry, const Source& source);

}  // namespace fusetune

#pragma once
// The integers that are known of a variant once it is compiled and traced: what the rules of a
// sweep's `require` may use beside the names of the family.

#include <string>
#include <vector>

#include "harness/spec/family_vocabulary.hpp"

namespace fusetune {

/// Of the code object, over all entries: the largest, of occupancy_waves the smallest. Targets that
/// do not tell one of them leave it out.
const std::vector<std::string>& code_fact_names();
/// Of an instrumented run on the host device.
const std::vector<std::string>& traffic_fact_names();

/// The family's names with the facts. A symbol or axis of the same name hides its fact.
Vocabulary with_facts(Vocabulary names);

}  // namespace fusetune

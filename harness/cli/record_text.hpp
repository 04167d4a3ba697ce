#pragma once
// Records as text and JSON. They may come from strangers: what is printed has no control
// characters.

#include <string>

#include "harness/store/records.hpp"

namespace fusetune {

/// Control characters and bytes that are no ASCII become '?', but for line ends.
std::string printable_text(std::string text);

std::string steps_text(const RecordSet& set);
std::string deaths_text(const RecordSet& set);
std::string record_text(const StepRecord& step, const RunRecord& run);
Json records_json(const RecordSet& set);

}  // namespace fusetune

#pragma once
// One measure of containment: what it keeps a worker from, and whether this machine has it.

#include <string>
#include <vector>

#include "harness/base/json.hpp"

namespace fusetune {

struct Measure {
  std::string name;     ///< "network namespace"
  std::string refuses;  ///< "connections to other machines"
  bool active = false;
  std::string why_not;  ///< "" when active
};

Measure active_measure(std::string name, std::string refuses);
Measure missing_measure(std::string name, std::string refuses, std::string why_not);
/// By the result of a system call: active, or why not by `error` (an errno).
Measure measure_by(std::string name, std::string refuses, bool active, int error);

Json to_json(const std::vector<Measure>& measures);

}  // namespace fusetune

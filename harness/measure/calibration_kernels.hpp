#pragma once
// The kernels that a device is measured with (kernels/calibration.hip): what they are called, what
// they take, and how they read and write.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/compile/compiler.hpp"

namespace fusetune {

constexpr std::int64_t kCalibrationBlock = 256;  ///< threads
constexpr std::int64_t kCalibrationVector = 16;  ///< bytes of an access

struct Mix {
  const char* name;
  const char* entry;
  int reads, writes;
  std::int64_t spread;  ///< bytes that the touched ones lie in, over their number
};

constexpr Mix kCalibrationMixes[] = {{"1:0", "calibrate_read", 1, 0, 1},
                                     {"0:1", "calibrate_fill", 0, 1, 1},
                                     {"1:1", "calibrate_copy", 1, 1, 1},
                                     {"2:1", "calibrate_add", 2, 1, 1},
                                     {"1:1 strided", "calibrate_strided", 1, 1, 4}};

/// As a compiler needs them.
CompileRequest calibration_request(const Target& target);

std::vector<Argument> arguments_of_entry(const std::string& entry);
/// Among the entries of calibration_request().
std::size_t place_of_entry(const std::string& entry);

}  // namespace fusetune

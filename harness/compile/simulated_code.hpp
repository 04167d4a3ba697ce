#pragma once
// What the simulated compiler makes and the simulated device loads: the entries with their
// arguments, and the macros that the source mentions. Text, padded to the size of a small kernel.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/spec/geometry.hpp"

namespace fusetune {

struct SimulatedCode {
  std::map<std::string, std::vector<Argument>> entries;
  std::map<std::string, std::string> macros;
  std::string source_hash;
  std::string identity;  ///< of the whole, as compiled
};

/// The bytes of a code object, at least `size_bytes` of them. The identity is that of the content.
std::string to_bytes(const SimulatedCode& code, std::int64_t size_bytes);

/// Nothing for anything that to_bytes() did not make.
std::optional<SimulatedCode> simulated_code_from(std::string_view bytes);

}  // namespace fusetune

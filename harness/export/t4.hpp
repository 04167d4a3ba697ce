#pragma once
// How T4 names what became of a variant.

#include <string_view>

#include "harness/base/status.hpp"

namespace fusetune {

/// "timeout", "compile", "runtime", "correctness", "constraints" or "correct".
std::string_view t4_invalidity(Status status);

}  // namespace fusetune

#pragma once
// What a compiler printed, made short.

#include <string>
#include <string_view>

#include "harness/base/status.hpp"

namespace fusetune {

/// The first line that reports an error, else the first line that is not empty.
std::string first_error_line(std::string_view log);

/// compile_error with its first error line, or resource_limit where the compiler says that the
/// kernel asks for more LDS, registers or scratch than there is.
Outcome outcome_of_failed_compile(std::string_view log);

}  // namespace fusetune

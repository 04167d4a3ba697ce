#pragma once
// Keys as a person reads them.

#include <string>

#include "harness/spec/geometry.hpp"

namespace fusetune {

/// The key without what it means anyway: symbols, options, dtypes and scalars at their default. It
/// pastes back, and gives the same geometry or case.
std::string short_key(const Geometry& geometry);
std::string short_key(const Case& which);
/// Of a case's key that was written down; the key itself where no family here has such a case.
std::string short_case_key(const std::string& case_key);

}  // namespace fusetune

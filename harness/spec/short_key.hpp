#pragma once
// Keys as a person reads them.

#include <string>

#include "harness/spec/geometry.hpp"

namespace fusetune {

/// The key without what it means anyway: symbols, options, dtypes and scalars at their default. It
/// pastes back, and gives the same geometry or case.
std::string short_key(const Geometry& geometry);
std::string short_key(const Case& which);

}  // namespace fusetune

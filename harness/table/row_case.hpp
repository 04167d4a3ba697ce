#pragma once
// A case that a row of a table answers.

#include <cstdint>

#include "harness/spec/geometry.hpp"

namespace fusetune {

/// A case of the geometry, whose base addresses and rows have just its alignment; other runtime
/// symbols are at their defaults. Throws UserError where the family refuses so many rows.
Case case_of(const Geometry& geometry, std::int64_t rows);

}  // namespace fusetune

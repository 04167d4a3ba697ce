#pragma once
// What a code object must agree on with the request it was compiled for.

#include "harness/compile/compiler.hpp"

namespace fusetune {

/// compile_error when the explicit kernel arguments do not end where the signature does, or the
/// wave size is another one; resource_limit when no kernel of it can have so large a block. Facts
/// that a target does not know are not checked.
Outcome check_code(const CompileRequest& request, const CodeFacts& facts);

}  // namespace fusetune

#pragma once
// Golden tables of casts: what a format's codes are, without a kernel. Kinds `fp8_cast_table`
// (every bf16 pattern, and what each code is) and `fp8_cast_f32` (chosen fp32 values).

#include "harness/verify/golden.hpp"

namespace fusetune {

bool is_cast_table(const GoldenCase& golden);

/// Compares the project's codecs with the table, code by code. Throws UserError: a dtype that is
/// no code of ours, tensors that are not there, empty or of another size.
ProofReport compare_codecs_with_golden(const GoldenCase& golden);

}  // namespace fusetune

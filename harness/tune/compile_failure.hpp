#pragma once
// What a compilation that was not answered, or for which the memory did not suffice, ends as.

#include "harness/compile/compiler.hpp"
#include "harness/process/worker_pool.hpp"

namespace fusetune {

/// A compiler that crashed, hung or ran out of memory may have suffered from what ran beside it: it
/// is tried once more, alone, before that is called the variant's failure.
bool is_worth_a_second_try(Status status);

/// Of a worker that died or passed its limit. `memory_mib` is what each compiler may have, 0 for no
/// limit.
CompileResult failure_of(const JobEnd& end, std::int64_t memory_mib);

/// `complaint` is the compiler's own line, "" for none.
Outcome not_enough_memory(std::int64_t memory_mib, const std::string& complaint);

}  // namespace fusetune

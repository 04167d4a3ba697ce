#pragma once
// Work over ranges on several processors, for processes that may start threads.

#include <cstdint>
#include <functional>

namespace fusetune {

/// Of each call from here on; one thread, the caller's, unless a process asks for more.
void set_parallel_threads(int threads);
int parallel_threads();

/// Calls work(first, past) for parts of [0, count) that cover it, `part` long but the last, in any
/// order and at the same time. The first exception comes out when all have ended.
void for_parts(std::int64_t count, std::int64_t part,
               const std::function<void(std::int64_t, std::int64_t)>& work);

}  // namespace fusetune

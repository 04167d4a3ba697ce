#include "harness/compile/code_checks.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fusetune {

namespace {

Outcome check_kernel(const CompileRequest& request, const KernelFacts& kernel) {
  if (kernel.wave_size && *kernel.wave_size != request.target.wave_size)
    return {Status::compile_error,
            fmt::format("entry {}: compiled for waves of {}, but {} has waves of {}", kernel.entry,
                        *kernel.wave_size, request.target.name, request.target.wave_size)};
  for (std::size_t i = 0; i < std::min(request.entries.size(), request.kernarg_bytes.size()); ++i) {
    if (request.entries[i] != kernel.entry || !kernel.kernarg_bytes) continue;
    if (*kernel.kernarg_bytes != request.kernarg_bytes[i])
      return {
          Status::compile_error,
          fmt::format("entry {}: parameter list differs from family.yaml: {} bytes of arguments "
                      "in the code object, {} declared",
                      kernel.entry, *kernel.kernarg_bytes, request.kernarg_bytes[i])};
  }
  return {};
}

}  // namespace

Outcome check_code(const CompileRequest& request, const CodeFacts& facts) {
  std::int64_t block_threads_max = -1;
  for (const KernelFacts& kernel : facts.kernels) {
    if (Outcome outcome = check_kernel(request, kernel); !outcome.ok()) return outcome;
    // The request knows the largest block alone, so only the most tolerant kernel can refuse it.
    if (!kernel.block_threads_max) return {};
    block_threads_max = std::max(block_threads_max, *kernel.block_threads_max);
  }
  if (block_threads_max >= 0 && request.block_threads > block_threads_max)
    return {Status::resource_limit, fmt::format("blocks of {} threads, but compiled for at most {}",
                                                request.block_threads, block_threads_max)};
  return {};
}

}  // namespace fusetune

#pragma once
// Kernels of our own, which no family has: compiled as all others are.

#include <optional>
#include <string>

#include "harness/compile/compiler.hpp"
#include "harness/device/device.hpp"
#include "harness/tune/session.hpp"

namespace fusetune {

/// From the store, or compiled now by a worker; nothing, and why.
std::optional<StoredCode> compiled_tool(const CompileRequest& request, const EngineOptions& options,
                                        Outcome* outcome);

/// The kernel that makes digests of memory, for devices whose memory is far away. "" for others,
/// and where it does not compile: proofs then carry every byte. Found out once for each store.
std::string digest_code_path(const Target& target, const EngineOptions& options);

}  // namespace fusetune

#include <exception>

#include "harness/compile/amd/hiprtc_compiler.hpp"
#include "harness/compile/module.hpp"

#define FUSETUNE_EXPORT extern "C" __attribute__((visibility("default")))

FUSETUNE_EXPORT const char* fusetune_module_version() { return fusetune::kModuleVersion; }

FUSETUNE_EXPORT fusetune::Compiler* fusetune_make_compiler() {
  try {
    return new fusetune::amd::HiprtcCompiler;
  } catch (const std::exception&) {
    return nullptr;  // the loader says so
  }
}

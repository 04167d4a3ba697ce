#include <exception>

#include "harness/compile/module.hpp"
#include "harness/compile/nvidia/nvrtc_compiler.hpp"

#define FUSETUNE_EXPORT extern "C" __attribute__((visibility("default")))

FUSETUNE_EXPORT const char* fusetune_module_version() { return fusetune::kModuleVersion; }

FUSETUNE_EXPORT fusetune::Compiler* fusetune_make_compiler() {
  try {
    return new fusetune::nvidia::NvrtcCompiler;
  } catch (const std::exception&) {
    return nullptr;  // the loader says so
  }
}

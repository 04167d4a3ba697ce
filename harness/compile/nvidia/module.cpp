#include "harness/compile/module.hpp"

#include <memory>

#include "harness/compile/nvidia/nvrtc_compiler.hpp"

namespace fusetune {

std::unique_ptr<Compiler> make_module_compiler() {
  return std::make_unique<nvidia::NvrtcCompiler>();
}

}  // namespace fusetune

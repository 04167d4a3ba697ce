#include "harness/compile/module.hpp"

#include <memory>

#include "harness/compile/amd/hiprtc_compiler.hpp"

namespace fusetune {

std::unique_ptr<Compiler> make_module_compiler() { return std::make_unique<amd::HiprtcCompiler>(); }

}  // namespace fusetune

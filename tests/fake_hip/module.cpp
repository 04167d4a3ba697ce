// The GPU platform's module over the fake runtime: what the program does with a GPU is tested
// where there is none. Its compiler makes no code, and its kernels do nothing.

#include "harness/compile/module.hpp"

#include <string>

#include "harness/base/hash.hpp"
#include "harness/compile/compiler.hpp"
#include "harness/device/hip/gpus.hpp"
#include "harness/device/hip/hip_device.hpp"

namespace {

class FakeCompiler : public fusetune::Compiler {
 public:
  std::string identity() const override { return "fake compiler"; }
  bool handles(const fusetune::Target& target) const override {
    return target.platform == fusetune::Platform::amd;
  }
  fusetune::CompileResult compile(const fusetune::CompileRequest& request) override {
    fusetune::CompileResult result;
    for (std::size_t i = 0; i < request.entries.size(); ++i) {
      fusetune::KernelFacts facts;
      facts.entry = request.entries[i];
      facts.kernarg_bytes = request.kernarg_bytes[i];
      facts.wave_size = request.target.wave_size;
      result.facts.kernels.push_back(facts);
      result.code += request.entries[i] + " ";
    }
    result.code += request.key(identity());
    result.code += '\0';
    result.code_identity = fusetune::hash_hex({result.code});
    result.facts.file_bytes = static_cast<std::int64_t>(result.code.size());
    return result;
  }
};

}  // namespace

#define FUSETUNE_EXPORT extern "C" __attribute__((visibility("default")))

FUSETUNE_EXPORT const char* fusetune_module_version() { return fusetune::kModuleVersion; }

FUSETUNE_EXPORT fusetune::Compiler* fusetune_make_compiler() { return new FakeCompiler; }

FUSETUNE_EXPORT std::vector<fusetune::Gpu>* fusetune_list_gpus() {
  return new std::vector<fusetune::Gpu>(fusetune::hip::gpus());
}

FUSETUNE_EXPORT fusetune::Device* fusetune_make_device(const fusetune::Gpu& gpu) {
  return new fusetune::hip::HipDevice(gpu);
}

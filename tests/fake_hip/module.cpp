// The GPU platform's module over the fake runtime: what the program does with a GPU is tested
// where there is none. Its compiler makes no code, and its kernels do nothing, or what the
// simulated device has built in.

#include "harness/compile/module.hpp"

#include <memory>
#include <string>

#include "harness/base/hash.hpp"
#include "harness/compile/compiler.hpp"
#include "harness/compile/simulated_code.hpp"

namespace {

class FakeCompiler : public fusetune::Compiler {
 public:
  std::string identity() const override { return "fake compiler"; }
  bool handles(const fusetune::Target& target) const override {
    return target.platform == fusetune::Platform::amd;
  }
  fusetune::CompileResult compile(const fusetune::CompileRequest& request) override {
    fusetune::CompileResult result;
    fusetune::SimulatedCode code;
    code.macros = {request.macros.begin(), request.macros.end()};
    code.source_hash = request.key(identity());
    for (std::size_t i = 0; i < request.entries.size(); ++i) {
      fusetune::KernelFacts facts;
      facts.entry = request.entries[i];
      facts.kernarg_bytes = request.kernarg_bytes[i];
      facts.wave_size = request.target.wave_size;
      result.facts.kernels.push_back(facts);
      code.entries[request.entries[i]] = request.signatures[i];
    }
    result.code = fusetune::to_bytes(code, 0) + '\0';
    result.code_identity = fusetune::hash_hex({result.code});
    result.facts.file_bytes = static_cast<std::int64_t>(result.code.size());
    return result;
  }
};

}  // namespace

std::unique_ptr<fusetune::Compiler> fusetune::make_module_compiler() {
  return std::make_unique<FakeCompiler>();
}

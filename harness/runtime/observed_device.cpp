#include "harness/runtime/observed_device.hpp"

#include <fmt/format.h>

#include "harness/base/files.hpp"
#include "harness/compile/elf_image.hpp"

namespace fusetune::runtime {

std::unique_ptr<LoadedCode> ObservedDevice::load(const std::string& code_path, Outcome* outcome) {
  std::unique_ptr<LoadedCode> code = ForwardingDevice::load(code_path, outcome);
  if (code) identities_[code.get()] = elf_code_identity(read_file(code_path));
  return code;
}

Outcome ObservedDevice::launch(const LoadedCode& code, const KernelLaunch& launch) {
  seen_.push_back(
      {launch.entry, launch.grid, launch.block, launch.lds_bytes, identities_.at(&code)});
  return ForwardingDevice::launch(code, launch);
}

CompileResult CountingCompiler::compile(const CompileRequest& request) {
  if (forbidden_)
    throw Error(
        fmt::format("{} would have to be compiled now, and nothing is to be: prepare it "
                    "before forbid_compilation()",
                    request.source.name));
  ++count_;
  return compiler_->compile(request);
}

}  // namespace fusetune::runtime

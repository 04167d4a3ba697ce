#include "harness/compile/nvidia/nvrtc_compiler.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "harness/compile/nvidia/cubin.hpp"
#include "harness/compile/nvidia/ptxas_log.hpp"
#include "harness/compile/rtc/names.hpp"

namespace fusetune::nvidia {

namespace {

constexpr std::int64_t kRegisterBytes = 4;

KernelFacts facts_of(CubinKernel kernel, const PtxasFacts& said) {
  KernelFacts facts;
  facts.entry = std::move(kernel.entry);
  facts.vgpr = said.registers;
  if (said.spill_store_bytes) facts.vgpr_spills = *said.spill_store_bytes / kRegisterBytes;
  facts.scratch_bytes = said.stack_bytes;
  facts.lds_bytes = said.shared_bytes;
  facts.kernarg_bytes = kernel.argument_bytes;
  facts.code_bytes = kernel.code_bytes;
  facts.wave_size = 32;
  facts.block_threads_max = kernel.block_threads_max;
  facts.global_loads = std::move(kernel.global_loads);
  facts.global_stores = std::move(kernel.global_stores);
  return facts;
}

}  // namespace

NvrtcCompiler::NvrtcCompiler() {
  int major = 0, minor = 0;
  hiprtcVersion(&major, &minor);
  identity_ = fmt::format("NVRTC {}.{}, {}", major, minor, fmt::join(rtc::common_options(), " "));
}

std::vector<std::string> NvrtcCompiler::options_of(const Target& target) const {
  std::vector<std::string> options = rtc::target_options(target);
  // Functions without a word for where they run are the device's, as constexpr ones are for hipRTC.
  options.insert(options.end(), {"--ptxas-options=-v", "--device-as-default-execution-space"});
  return options;
}

std::vector<KernelFacts> NvrtcCompiler::kernel_facts(std::string_view code,
                                                     std::string_view log) const {
  const auto said = read_ptxas_log(log);
  std::vector<KernelFacts> facts;
  for (CubinKernel& kernel : read_cubin(code)) {
    const auto found = said.find(kernel.entry);
    facts.push_back(
        facts_of(std::move(kernel), found == said.end() ? PtxasFacts() : found->second));
  }
  return facts;
}

}  // namespace fusetune::nvidia

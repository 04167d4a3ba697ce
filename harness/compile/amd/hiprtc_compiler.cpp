#include "harness/compile/amd/hiprtc_compiler.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/compile/amd/comgr.hpp"
#include "harness/compile/rtc/names.hpp"

namespace fusetune::amd {

namespace {

constexpr const char* kOptimise = "-O3";

}  // namespace

HiprtcCompiler::HiprtcCompiler() {
  int major = 0, minor = 0;
  hiprtcVersion(&major, &minor);
  identity_ = fmt::format("hipRTC {}.{} ({}), comgr {}, {} {}", major, minor,
                          library_of(reinterpret_cast<const void*>(&hiprtcCompileProgram)),
                          comgr_version(), kOptimise, fmt::join(rtc::common_options(), " "));
}

std::vector<std::string> HiprtcCompiler::options_of(const Target& target) const {
  std::vector<std::string> options = rtc::target_options(target);
  options.emplace_back(kOptimise);
  return options;
}

std::vector<KernelFacts> HiprtcCompiler::kernel_facts(std::string_view code,
                                                      std::string_view /*log*/) const {
  return read_kernel_facts(code);
}

}  // namespace fusetune::amd

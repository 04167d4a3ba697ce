#pragma once
// NVRTC behind the Compiler interface: cubins for sm_NN.

#include <string>
#include <string_view>
#include <vector>

#include "harness/compile/rtc/rtc_compiler.hpp"

namespace fusetune::nvidia {

class NvrtcCompiler : public rtc::RtcCompiler {
 public:
  NvrtcCompiler();
  std::string identity() const override { return identity_; }
  bool handles(const Target& target) const override { return target.platform == Platform::nvidia; }

 protected:
  std::string name() const override { return "NVRTC"; }
  std::vector<std::string> options_of(const Target& target) const override;
  std::vector<KernelFacts> kernel_facts(std::string_view code, std::string_view log) const override;

 private:
  std::string identity_;
};

}  // namespace fusetune::nvidia

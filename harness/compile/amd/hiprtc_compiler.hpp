#pragma once
// hipRTC behind the Compiler interface. It aborts the process on targets that it does not know,
// which is why only workers load it.

#include <string>
#include <string_view>
#include <vector>

#include "harness/compile/rtc/rtc_compiler.hpp"

namespace fusetune::amd {

class HiprtcCompiler : public rtc::RtcCompiler {
 public:
  HiprtcCompiler();
  std::string identity() const override { return identity_; }
  bool handles(const Target& target) const override { return target.platform == Platform::amd; }

 protected:
  std::string name() const override { return "hipRTC"; }
  std::vector<std::string> options_of(const Target& target) const override;
  std::vector<KernelFacts> kernel_facts(std::string_view code, std::string_view log) const override;

 private:
  std::string identity_;
};

}  // namespace fusetune::amd

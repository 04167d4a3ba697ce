#pragma once
// hipRTC behind the Compiler interface. It aborts the process on targets that it does not know,
// which is why only workers load it.

#include <string>

#include "harness/compile/compiler.hpp"

namespace fusetune::amd {

class HiprtcCompiler : public Compiler {
 public:
  HiprtcCompiler();
  std::string identity() const override { return identity_; }
  bool handles(const Target& target) const override { return target.platform == Platform::amd; }
  CompileResult compile(const CompileRequest& request) override;

 private:
  std::string identity_;
};

}  // namespace fusetune::amd

#pragma once
// A run-time compiler behind the Compiler interface. What differs between platforms is which
// options name a target, and where a code object's facts stand.

#include <string>
#include <string_view>
#include <vector>

#include "harness/compile/compiler.hpp"

namespace fusetune::rtc {

/// Of every compilation, and part of the compiler's identity.
const std::vector<std::string>& common_options();

/// Those that name a target, and what its compiler is to leave out.
std::vector<std::string> target_options(const Target& target);

/// A kernel of ours that is no variant: its code object, empty where it does not compile.
std::string compile_own(const SourceText& source, const Target& target);

class RtcCompiler : public Compiler {
 public:
  CompileResult compile(const CompileRequest& request) override;

 protected:
  /// What the compiler is called in messages.
  virtual std::string name() const = 0;
  virtual std::vector<std::string> options_of(const Target& target) const = 0;
  /// Of the kernels in a code object; `log` is what the compiler said of it. Throws
  /// std::runtime_error where they cannot be read.
  virtual std::vector<KernelFacts> kernel_facts(std::string_view code,
                                                std::string_view log) const = 0;

 private:
  Outcome read_facts(const CompileRequest& request, CompileResult* result) const;
};

}  // namespace fusetune::rtc

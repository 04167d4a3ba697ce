#pragma once
// A device and a compiler that keep what is asked of them: below whoever chooses a launch, so that
// what they saw is no repetition of what was chosen.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/compile/compiler.hpp"
#include "harness/device/forwarding_device.hpp"
#include "harness/runtime/runtime.hpp"

namespace fusetune::runtime {

class ObservedDevice : public ForwardingDevice {
 public:
  using ForwardingDevice::ForwardingDevice;

  /// The identity is read from the bytes that are loaded.
  std::unique_ptr<LoadedCode> load(const std::string& code_path, Outcome* outcome) override;
  Outcome launch(const LoadedCode& code, const KernelLaunch& launch) override;

  const std::string& identity_of(const LoadedCode& code) const { return identities_.at(&code); }
  void forget(const LoadedCode& code) { identities_.erase(&code); }
  std::vector<Launch> take() { return std::exchange(seen_, {}); }

 private:
  std::map<const LoadedCode*, std::string> identities_;
  std::vector<Launch> seen_;
};

class CountingCompiler : public Compiler {
 public:
  explicit CountingCompiler(std::unique_ptr<Compiler> compiler) : compiler_(std::move(compiler)) {}

  std::string identity() const override { return compiler_->identity(); }
  bool handles(const Target& target) const override { return compiler_->handles(target); }
  /// Throws Error where it is forbidden.
  CompileResult compile(const CompileRequest& request) override;

  void forbid() { forbidden_ = true; }
  std::int64_t count() const { return count_; }

 private:
  std::unique_ptr<Compiler> compiler_;
  bool forbidden_ = false;
  std::int64_t count_ = 0;
};

}  // namespace fusetune::runtime

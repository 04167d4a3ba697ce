#pragma once
// A code object in a GPU's memory.

#include <map>
#include <memory>
#include <string>

#include "harness/device/device.hpp"
#include "harness/device/hip/names.hpp"

namespace fusetune::hip {

struct HipKernel {
  hipFunction_t function = nullptr;
  std::int64_t lds_bytes_allowed = 0;
};

class HipCode : public LoadedCode {
 public:
  /// Nothing and an outcome on failure.
  static std::unique_ptr<HipCode> load(const std::string& code_path, Outcome* outcome);
  ~HipCode() override;
  HipCode(const HipCode&) = delete;
  HipCode& operator=(const HipCode&) = delete;

  /// nullptr when the code has no such kernel.
  HipKernel* find(const std::string& entry) const;

 private:
  HipCode() = default;

  hipModule_t module_ = nullptr;
  mutable std::map<std::string, HipKernel> kernels_;
};

}  // namespace fusetune::hip

#pragma once
// A code object in a GPU's memory.

#include <map>
#include <memory>
#include <string>

#include "harness/device/device.hpp"
#include "harness/device/hip/hip_object.hpp"

namespace fusetune::hip {

struct HipKernel {
  hipFunction_t function = nullptr;
  std::int64_t lds_bytes_allowed = 0;
};

class HipCode : public LoadedCode {
 public:
  /// Nothing and an outcome on failure.
  static std::unique_ptr<HipCode> load(const std::string& code_path, Outcome* outcome);
  static std::unique_ptr<HipCode> from_image(const std::string& image, Outcome* outcome);

  /// Nothing and an outcome when the code has no such kernel.
  HipKernel* find(const std::string& entry, Outcome* outcome) const;

 private:
  HipCode() = default;

  Module module_;
  mutable std::map<std::string, HipKernel> kernels_;
};

}  // namespace fusetune::hip

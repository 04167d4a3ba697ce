#include "harness/device/hip/hip_code.hpp"

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/device/hip/hip_error.hpp"

namespace fusetune::hip {

std::unique_ptr<HipCode> HipCode::load(const std::string& code_path, Outcome* outcome) {
  std::string image;
  try {
    image = read_file(code_path);
  } catch (const UserError& error) {
    *outcome = {Status::launch_error, error.what()};
    return nullptr;
  }
  std::unique_ptr<HipCode> code(new HipCode);
  if (const hipError_t error = hipModuleLoadData(&code->module_, image.data());
      error != hipSuccess) {
    code->module_ = nullptr;
    *outcome = {error == hipErrorOutOfMemory ? Status::out_of_memory : Status::launch_error,
                "the code object does not load: " + told("hipModuleLoadData", error)};
    static_cast<void>(hipGetLastError());
    return nullptr;
  }
  return code;
}

HipCode::~HipCode() {
  if (module_ != nullptr) static_cast<void>(hipModuleUnload(module_));
}

HipKernel* HipCode::find(const std::string& entry) const {
  const auto known = kernels_.find(entry);
  if (known != kernels_.end()) return &known->second;
  HipKernel kernel;
  if (hipModuleGetFunction(&kernel.function, module_, entry.c_str()) != hipSuccess) {
    static_cast<void>(hipGetLastError());  // told here, and not by the next call
    return nullptr;
  }
  return &kernels_.emplace(entry, kernel).first->second;
}

}  // namespace fusetune::hip

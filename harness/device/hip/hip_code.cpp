#include "harness/device/hip/hip_code.hpp"

#include <fmt/format.h>

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
  return from_image(image, outcome);
}

std::unique_ptr<HipCode> HipCode::from_image(const std::string& image, Outcome* outcome) {
  std::unique_ptr<HipCode> code(new HipCode);
  if (const hipError_t error = hipModuleLoadData(code->module_.out(), image.data());
      error != hipSuccess) {
    static_cast<void>(hipGetLastError());
    *outcome = {status_of(error),
                "the code object does not load: " + told("hipModuleLoadData", error)};
    return nullptr;
  }
  return code;
}

HipKernel* HipCode::find(const std::string& entry, Outcome* outcome) const {
  const auto known = kernels_.find(entry);
  if (known != kernels_.end()) return &known->second;
  HipKernel kernel;
  if (const hipError_t error = hipModuleGetFunction(&kernel.function, module_.get(), entry.c_str());
      error != hipSuccess) {
    static_cast<void>(hipGetLastError());  // told here, and not by the next call
    *outcome = {status_of(error), fmt::format("kernel {} is not in the code object: {}", entry,
                                              told("hipModuleGetFunction", error))};
    return nullptr;
  }
  return &kernels_.emplace(entry, kernel).first->second;
}

}  // namespace fusetune::hip

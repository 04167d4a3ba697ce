// What every platform's module exports: its compiler, and the GPUs of its runtime.

#include <exception>
#include <memory>

#include "harness/compile/compiler.hpp"
#include "harness/compile/module.hpp"
#include "harness/device/hip/gpus.hpp"
#include "harness/device/hip/hip_device.hpp"

#define FUSETUNE_EXPORT extern "C" __attribute__((visibility("default")))

FUSETUNE_EXPORT const char* fusetune_module_version() { return fusetune::kModuleVersion; }

FUSETUNE_EXPORT fusetune::Compiler* fusetune_make_compiler() {
  try {
    return fusetune::make_module_compiler().release();
  } catch (const std::exception&) {
    return nullptr;  // the loader says so
  }
}

FUSETUNE_EXPORT std::vector<fusetune::Gpu>* fusetune_list_gpus() {
  return new std::vector<fusetune::Gpu>(fusetune::hip::gpus());
}

FUSETUNE_EXPORT fusetune::Device* fusetune_make_device(const fusetune::Gpu& gpu) {
  return new fusetune::hip::HipDevice(gpu);
}

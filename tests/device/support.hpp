#pragma once
// Compiles kernels given as text and launches them on the host device.

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/base/temporary_folder.hpp"
#include "harness/compile/compiler.hpp"
#include "harness/device/device.hpp"

namespace fusetune::testing {

/// A request with the common header, for one or more entries.
CompileRequest request_for(const std::string& source, const std::vector<std::string>& entries,
                           int wave_size,
                           std::vector<std::pair<std::string, std::string>> macros = {});

/// A device of one wave size with what the tests do on it.
class Bench {
 public:
  explicit Bench(int wave_size = 64);
  ~Bench();
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  Device& device() { return *device_; }
  int wave_size() const { return wave_size_; }

  /// Compiles and loads; fails the test when that does not work.
  const LoadedCode& build(const std::string& source, const std::vector<std::string>& entries,
                          std::vector<std::pair<std::string, std::string>> macros = {});
  /// The same, instrumented.
  const LoadedCode& build_exact(const std::string& source, const std::vector<std::string>& entries,
                                std::vector<std::pair<std::string, std::string>> macros = {});
  /// Loads the file of the last build once more.
  const LoadedCode& load_again();
  /// The last one loaded.
  std::unique_ptr<LoadedCode> take_loaded();
  const CompileResult& compiled() const { return compiled_; }

  template <typename T>
  DevicePointer upload(const std::vector<T>& values, Place place = Place::low) {
    const DevicePointer pointer = allocate(values.size() * sizeof(T), place);
    device_->copy_to(pointer, values.data(), values.size() * sizeof(T));
    return pointer;
  }
  template <typename T>
  std::vector<T> download(DevicePointer pointer, std::size_t count) {
    std::vector<T> values(count);
    device_->copy_from(values.data(), pointer, count * sizeof(T));
    return values;
  }
  DevicePointer allocate(std::size_t size_bytes, Place place = Place::low);

  /// Launches the first entry of the last build.
  Outcome launch(std::int64_t grid, std::int64_t block, std::vector<KernelArgument> arguments,
                 std::int64_t lds_bytes = 0);
  Outcome launch(const KernelLaunch& launch);

 private:
  const LoadedCode& build(const CompileRequest& request);

  int wave_size_;
  std::unique_ptr<Device> device_;
  TemporaryFolder folder_{"fusetune-test"};
  std::vector<std::unique_ptr<LoadedCode>> loaded_;
  std::vector<DevicePointer> buffers_;
  CompileResult compiled_;
  std::filesystem::path code_path_;
  std::string entry_;
};

/// One compiler for all tests of the process.
Compiler& host_compiler();

}  // namespace fusetune::testing

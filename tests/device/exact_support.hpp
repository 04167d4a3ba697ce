#pragma once
// Instrumented kernels of one signature, and tensors that they may touch.

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "support.hpp"

namespace fusetune::testing {

/// Kernels (const float* in, float* out, float* work, ft_i32* counter) of one source, on four rows
/// of 256 floats with 16 bytes between them.
class ExactBench {
 public:
  static constexpr std::int64_t kRows = 4, kRowBytes = 1024, kStrideBytes = 1040;
  static constexpr std::int64_t kWorkBytes = 4096, kCounterBytes = 64;

  ExactBench(int wave_size, std::string source, std::vector<std::string> entries,
             bool exact = true);

  /// One launch after a new watch(), under a schedule.
  Outcome run(const std::string& entry, std::int64_t grid, std::int64_t block,
              std::uint64_t seed = 0);
  Outcome run(const KernelLaunch& launch);
  /// Launches without a new watch().
  Outcome launch_again(const std::string& entry, std::int64_t grid, std::int64_t block);
  void watch();

  /// "test.hip:7" of the line that holds the text.
  std::string line(const std::string& text) const;
  Device& device() { return bench_.device(); }
  Bench& bench() { return bench_; }
  DevicePointer in() const { return in_; }
  DevicePointer out() const { return out_; }
  std::vector<KernelArgument> arguments() const { return {in_, out_, work_, counter_}; }

 private:
  Bench bench_;
  std::string source_;
  DevicePointer in_, out_, work_, counter_;
};

/// FT_KERNEL(1024) void name(...) with that signature.
std::string exact_kernel(const std::string& name, const std::string& body);

}  // namespace fusetune::testing

#include "harness/selftest/mutated_device.hpp"

#include <gmock/gmock.h>

#include <cstring>

namespace fusetune::test {
namespace {

using testing::ElementsAre;
using Kind = DeviceChange::Kind;

/// A device whose one kernel copies its first argument's four bytes to the second's. Notes the
/// blocks of every launch that it runs.
class CopyDevice : public Device {
 public:
  const DeviceProperties& properties() const override { return properties_; }
  DevicePointer allocate(std::size_t size_bytes, Place) override {
    return reinterpret_cast<DevicePointer>(new char[size_bytes]());
  }
  void release(DevicePointer pointer) override { delete[] reinterpret_cast<char*>(pointer); }
  void copy_to(DevicePointer to, const void* from, std::size_t bytes) override {
    std::memcpy(reinterpret_cast<void*>(to), from, bytes);
  }
  void copy_from(void* to, DevicePointer from, std::size_t bytes) override {
    std::memcpy(to, reinterpret_cast<void*>(from), bytes);
  }
  std::unique_ptr<LoadedCode> load(const std::string&, Outcome*) override { return nullptr; }
  Outcome launch(const LoadedCode&, const KernelLaunch& launch) override {
    ran.push_back(launch.grid[0]);
    const auto from = std::get<DevicePointer>(launch.arguments[0]);
    const auto to = std::get<DevicePointer>(launch.arguments[1]);
    std::memcpy(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), 4);
    numbers.push_back(std::get<std::int64_t>(launch.arguments[2]));
    return {};
  }
  Outcome synchronize() override { return {}; }
  double stamp_us() override { return 0; }
  void schedule(std::uint64_t) override {}

  std::vector<std::int64_t> ran;
  std::vector<std::int64_t> numbers;

 private:
  DeviceProperties properties_;
};

struct MutatedDeviceTest : testing::Test {
  MutatedDeviceTest() {
    launch.entry = "copy";
    launch.grid = {3, 1, 1};
    from = real.allocate(4, Place::low);
    to = real.allocate(4, Place::low);
    launch.arguments = {from, to, std::int64_t{7}};
  }
  ~MutatedDeviceTest() override {
    real.release(from);
    real.release(to);
  }

  MutatedDevice mutated(DeviceChange change) {
    LaunchFacts facts;
    facts.inputs["copy"] = {{0, 4}};
    return {real, change, facts};
  }
  /// Writes the input, launches, synchronizes, reads the output.
  std::int32_t run(MutatedDevice& device, std::int32_t value) {
    device.copy_to(from, &value, 4);
    EXPECT_TRUE(device.launch(code, launch).ok());
    EXPECT_TRUE(device.synchronize().ok());
    std::int32_t result = 0;
    device.copy_from(&result, to, 4);
    return result;
  }

  CopyDevice real;
  LoadedCode code;
  KernelLaunch launch;
  DevicePointer from = 0, to = 0;
};

TEST_F(MutatedDeviceTest, WithoutAChangeIsTheDevice) {
  MutatedDevice device = mutated({});
  EXPECT_EQ(run(device, 5), 5);
  EXPECT_THAT(real.ran, ElementsAre(3));
}

TEST_F(MutatedDeviceTest, LosesEveryNthLaunch) {
  MutatedDevice device = mutated({Kind::loses_launches, 2});
  EXPECT_EQ(run(device, 5), 5);
  EXPECT_EQ(run(device, 6), 5);
  EXPECT_EQ(run(device, 7), 7);
}

TEST_F(MutatedDeviceTest, SkipsTheLastBlock) {
  MutatedDevice device = mutated({Kind::skips_last_block});
  run(device, 5);
  launch.grid[0] = 1;
  run(device, 5);
  EXPECT_THAT(real.ran, ElementsAre(2));
}

TEST_F(MutatedDeviceTest, RunsTwice) {
  MutatedDevice device = mutated({Kind::repeats_launches});
  run(device, 5);
  EXPECT_THAT(real.ran, ElementsAre(3, 3));
}

TEST_F(MutatedDeviceTest, KeepsStaleInputsFromTheKernelAlone) {
  MutatedDevice device = mutated({Kind::keeps_stale_inputs});
  EXPECT_EQ(run(device, 5), 5);
  EXPECT_EQ(run(device, 6), 5);
  std::int32_t input = 0;
  device.copy_from(&input, from, 4);
  EXPECT_EQ(input, 6);
}

TEST_F(MutatedDeviceTest, ReturnsBeforeItHasRun) {
  MutatedDevice device = mutated({Kind::returns_early});
  EXPECT_EQ(run(device, 5), 0);
  // Done by the time that the next input is written.
  EXPECT_EQ(run(device, 6), 5);
}

TEST_F(MutatedDeviceTest, RunsWithTheArgumentsOfTheLastLaunch) {
  MutatedDevice device = mutated({Kind::reuses_arguments});
  EXPECT_EQ(run(device, 5), 5);
  launch.arguments[2] = std::int64_t{1};
  ASSERT_TRUE(device.launch(code, launch).ok());
  launch.arguments[2] = std::int64_t{2};
  ASSERT_TRUE(device.launch(code, launch).ok());
  ASSERT_TRUE(device.synchronize().ok());
  EXPECT_THAT(real.numbers, ElementsAre(7, 2, 2));
}

TEST_F(MutatedDeviceTest, AddsToAnArgument) {
  LaunchFacts facts;
  facts.additions["copy"] = {2, -1};
  MutatedDevice device(real, {}, facts);
  run(device, 5);
  EXPECT_THAT(real.numbers, ElementsAre(6));
}

}  // namespace
}  // namespace fusetune::test

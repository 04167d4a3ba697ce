// The path that is timed against single launches, on the simulated device.

#include "harness/measure/ring_check.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "harness/device/forwarding_device.hpp"
#include "tests/measure/scripted_device.hpp"
#include "tests/measure/simulated_race.hpp"

namespace fusetune {
namespace {

using testing::arms_in;
using ::testing::HasSubstr;
using testing::quiet_gpu;
using testing::SimulatedRace;

/// Launches of one code object are whole where `runs` says so, and one block otherwise.
class PickyDevice : public ForwardingDevice {
 public:
  PickyDevice(Device& device, const LoadedCode& code, std::function<bool(std::int64_t)> runs)
      : ForwardingDevice(device), code_(code), runs_(std::move(runs)) {}

  QueueTraits queue() const override {
    QueueTraits traits = ForwardingDevice::queue();
    traits.graphs = false;
    return traits;
  }
  Outcome launch(const LoadedCode& code, const KernelLaunch& launch) override {
    KernelLaunch changed = launch;
    if (&code == &code_ && !runs_(++launches_)) changed.grid[0] = 1;
    return ForwardingDevice::launch(code, changed);
  }

 private:
  const LoadedCode& code_;
  std::function<bool(std::int64_t)> runs_;
  std::int64_t launches_ = 0;
};

/// Digests of this machine, of a device whose memory it can see.
DigestRegions digests_of(Device& device) {
  return [&device](std::span<const Region> regions) {
    std::vector<Digest> digests;
    for (const Region& region : regions) {
      std::vector<std::byte> bytes(region.size_bytes);
      device.copy_from(bytes.data(), region.begin, bytes.size());
      digests.push_back(digest_of(bytes.data(), bytes.size()));
    }
    return digests;
  };
}

/// With every byte carried, and by digests.
class RingCheck : public ::testing::TestWithParam<bool> {
 protected:
  static RaceResult race_on(SimulatedRace& set, Device& device) {
    return set.run_on(device, {}, GetParam() ? digests_of(set.device()) : DigestRegions());
  }
};
INSTANTIATE_TEST_SUITE_P(By, RingCheck, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "Digests" : "Bytes"; });

/// Counts what is carried from the device.
class CountingDevice : public ForwardingDevice {
 public:
  using ForwardingDevice::ForwardingDevice;
  void copy_from(void* destination, DevicePointer source, std::size_t size_bytes) override {
    carried_bytes += size_bytes;
    ForwardingDevice::copy_from(destination, source, size_bytes);
  }
  std::size_t carried_bytes = 0;
};

TEST(RingCheckByDigests, CarriesTheBeginningsOfOutputsAlone) {
  SimulatedRace set(quiet_gpu(), {50});
  CountingDevice whole(set.device()), digests(set.device());
  const RaceResult by_bytes = set.run_on(whole);
  const RaceResult by_digests = set.run_on(digests, {}, digests_of(set.device()));
  ASSERT_EQ(by_bytes.checked_lists, by_digests.checked_lists);
  EXPECT_LT(100 * digests.carried_bytes, whole.carried_bytes);
}

TEST_P(RingCheck, WhatIsRightIsComparedBeforeAndAfter) {
  for (const double us : {5.0, 50.0, 800.0}) {
    SimulatedRace set(quiet_gpu(), {us, 1.05 * us});
    const RaceResult result = race_on(set, set.device());
    ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
    EXPECT_TRUE(result.disproved.empty()) << result.path;
    // Both before, and at least the faster one behind.
    EXPECT_GE(result.checked_lists, 3 * 1024) << result.path;
  }
  RaceOptions options;
  options.check_lists = 0;
  EXPECT_EQ(SimulatedRace(quiet_gpu(), {50}).run(options).checked_lists, 0);
}

TEST_P(RingCheck, OneLaunchOfAThousandIsFoundAndTheOtherArmStays) {
  SimulatedRace set(quiet_gpu(), {50, 55});
  PickyDevice device(set.device(), set.code(1), [](std::int64_t n) { return n % 1000 != 0; });
  const RaceResult result = race_on(set, device);
  ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
  ASSERT_EQ(result.disproved.size(), 1U);
  EXPECT_EQ(result.disproved[0].arm, 1);
  EXPECT_EQ(result.disproved[0].outcome.status, Status::verification_failed);
  EXPECT_THAT(result.disproved[0].outcome.message, HasSubstr("mixed_qkv"));
  EXPECT_EQ(arms_in(result), std::set<std::int32_t>{0});
}

TEST_P(RingCheck, WhatBreaksWhileItIsTimedIsFoundBehindIt) {
  SimulatedRace set(quiet_gpu(), {50, 50.05});
  // Past the check before the epochs, and within them.
  PickyDevice device(set.device(), set.code(1),
                     [](std::int64_t n) { return n < 1500 || n % 500 != 0; });
  const RaceResult result = race_on(set, device);
  ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
  ASSERT_EQ(result.disproved.size(), 1U);
  EXPECT_EQ(result.disproved[0].arm, 1);
  EXPECT_THAT(result.disproved[0].outcome.message, HasSubstr("argument set"));
  EXPECT_EQ(arms_in(result), std::set<std::int32_t>{0});
}

TEST_P(RingCheck, WhereNothingIsLeftTheRaceSaysSo) {
  SimulatedRace set(quiet_gpu(), {50});
  PickyDevice device(set.device(), set.code(0), [](std::int64_t n) { return n % 1000 != 0; });
  const RaceResult result = race_on(set, device);
  EXPECT_TRUE(result.outcome.ok()) << result.outcome.message;
  EXPECT_EQ(result.disproved.size(), 1U);
  EXPECT_TRUE(result.samples.empty());
}

}  // namespace
}  // namespace fusetune

#include "harness/measure/ring.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/measure/span.hpp"
#include "harness/verify/inputs.hpp"
#include "tests/measure/scripted_device.hpp"

namespace fusetune {
namespace {

using testing::ScriptedDevice;
using testing::ScriptedRace;

TEST(PlanRing, FollowsTheCache) {
  const ScriptedRace set(1);
  const Traffic traffic = traffic_of(set.which);
  const std::int64_t bytes = traffic.read_bytes + traffic.write_bytes;
  const RingPlan plan = plan_ring(set.which, 1 << 20, true, 1 << 28);
  EXPECT_EQ(plan.sets, (3 * (1 << 20) + bytes - 1) / bytes + 1);
  EXPECT_TRUE(plan.cold);
  EXPECT_EQ(plan.flag, "");
  EXPECT_EQ(plan_ring(set.which, 1 << 20, false, 1 << 28).sets, 1);
}

TEST(PlanRing, SaysWhatTheMemoryDoesNotAllow) {
  const ScriptedRace set(1);
  const RingPlan half = plan_ring(set.which, 1 << 20, true, 3 << 20);
  EXPECT_TRUE(half.cold);
  EXPECT_THAT(half.flag, ::testing::HasSubstr("capped"));
  EXPECT_LT(half.over_cache, 3);
  EXPECT_FALSE(plan_ring(set.which, 1 << 20, true, 1 << 19).cold);
  EXPECT_EQ(plan_ring(set.which, 1 << 20, true, 1).sets, 1);
  EXPECT_THAT(plan_ring(set.which, 0, true, 1 << 20).flag, ::testing::HasSubstr("unknown"));
}

TEST(Ring, SetsHoldTheInputsAtTheirAlignmentAndApart) {
  ScriptedDevice device;
  ScriptedRace set(1);
  set.which = parse_case_key(
      "split_reshape_cat(act=bf16,align_z=4,ba=bf16,hk=16,hv=16,layout=interleaved,nk=2,nv=6,"
      "tokens=3,zero_fill=off)");
  const TensorImages images = Inputs(set.which, 5).images(0, Poison::b);
  const Ring ring(device, set.which, images, 7, 11);
  std::size_t ordinal = 0;
  std::map<DevicePointer, DevicePointer> ranges;
  const DevicePointer first = ring.data(0, 0);
  for (const TensorDecl* tensor : tensors_of(set.which.geometry)) {
    const auto& bytes = images.at(tensor->name).bytes;
    const std::int64_t align = set.which.geometry.align_bytes.at(tensor->name);
    for (std::int64_t s = 0; s < ring.sets(); ++s) {
      const DevicePointer at = ring.data(ordinal, s);
      EXPECT_EQ(at % align, 0U) << tensor->name;
      // As allocators of GPUs place tensors, and else as badly as the class says.
      EXPECT_EQ((at - first) % 256, align < 16 ? align : 0) << tensor->name;
      if (align < 16) {
        EXPECT_NE(at % (2 * align), 0U) << tensor->name;
      }
      std::vector<std::byte> held(bytes.size());
      device.copy_from(held.data(), at, held.size());
      EXPECT_EQ(held, bytes) << tensor->name;
      ranges[at] = at + bytes.size();
    }
    ++ordinal;
  }
  DevicePointer end = 0;
  for (const auto& [from, to] : ranges) {
    EXPECT_GE(from, end);
    end = to;
  }
}

TEST(Ring, RestoresWhatLaunchesChange) {
  ScriptedDevice device;
  const ScriptedRace set(1, "on");
  const TensorImages images = Inputs(set.which, 5).images(0, Poison::b);
  Ring ring(device, set.which, images, 4, 1);
  ASSERT_TRUE(ring.restores());
  const auto tensors = tensors_of(set.which.geometry);
  std::size_t inout = 0;
  while (tensors[inout]->role != Role::inout) ++inout;
  const auto& bytes = images.at(tensors[inout]->name).bytes;
  const std::vector<std::byte> changed(bytes.size(), std::byte{7});
  for (std::int64_t s = 0; s < 4; ++s)
    device.copy_to(ring.data(inout, s), changed.data(), changed.size());
  ring.restore(3, 2);  // sets 3 and 0
  for (std::int64_t s = 0; s < 4; ++s) {
    std::vector<std::byte> held(bytes.size());
    device.copy_from(held.data(), ring.data(inout, s), held.size());
    EXPECT_EQ(held == bytes, s == 3 || s == 0) << s;
  }
  const ScriptedRace pure(1);
  EXPECT_FALSE(Ring(device, pure.which, images, 1, 1).restores());
}

TEST(SpanTimer, LeavesInoutTensorsAsTheyWere) {
  ScriptedDevice device;
  const ScriptedRace set(1, "on");
  const TensorImages images = Inputs(set.which, 5).images(0, Poison::b);
  Ring ring(device, set.which, images, 4, 1);
  BoundArm arm(set.arms[0], set.which, Arena(device, set.which, Place::low, 1));
  const auto tensors = tensors_of(set.which.geometry);
  std::size_t inout = 0;
  while (tensors[inout]->role != Role::inout) ++inout;
  const auto& bytes = images.at(tensors[inout]->name).bytes;
  // As if the launches had written them.
  const std::vector<std::byte> changed(bytes.size(), std::byte{7});
  for (std::int64_t s = 0; s < 4; ++s)
    device.copy_to(ring.data(inout, s), changed.data(), changed.size());
  SpanTimer timer(device, ring);
  const Span span = timer.run(arm, 3);
  EXPECT_EQ(span.us, 30);
  for (std::int64_t s = 0; s < 4; ++s) {
    std::vector<std::byte> held(bytes.size());
    device.copy_from(held.data(), ring.data(inout, s), held.size());
    EXPECT_EQ(held == bytes, s < 3) << s;
  }
}

TEST(SpanLength, SweepsTheRingWholeWhereThatIsAffordable) {
  EXPECT_EQ(span_length(1, 100, 300).launches, 300);
  EXPECT_TRUE(span_length(1, 100, 300).whole_sweeps);
  EXPECT_EQ(span_length(2, 100, 300).launches, 200);
  EXPECT_EQ(span_length(10, 100, 300).launches, 100);
  EXPECT_EQ(span_length(10, 1000, 300).launches, 30);
  EXPECT_FALSE(span_length(10, 1000, 300).whole_sweeps);
  EXPECT_EQ(span_length(5000, 1, 300).launches, 1);
  EXPECT_EQ(span_length(5000, 13, 300).launches, 1);
}

}  // namespace
}  // namespace fusetune

// Placement, alignment and guards of the arena, and what its images and bindings hold.

#include "harness/verify/arena.hpp"

#include <gmock/gmock.h>

#include <set>

#include "harness/verify/binding.hpp"
#include "harness/verify/compare.hpp"
#include "harness/verify/inputs.hpp"
#include "tests/verify/mirror_family.hpp"

namespace fusetune::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Arena, BaseAddressesHaveExactlyTheAlignmentClass) {
  for (std::int64_t align : {2, 4, 8, 16})
    for (Place place : {Place::low, Place::high})
      for (std::int64_t width : {1, 2, 3, 8, 11, 64}) {
        FakeDevice device;
        const Case which = mirror_case({.width = width, .align_bytes = align});
        const Arena arena(device, which, place, 1);
        for (const Buffer& buffer : arena.buffers()) {
          EXPECT_EQ(buffer.data % align, 0u);
          if (align < 16) {
            EXPECT_NE(buffer.data % (2 * align), 0u);
          }
        }
      }
}

TEST(Arena, GuardsAreLongOnTheMappedSideAndShortOnTheOther) {
  FakeDevice device;
  for (Place place : {Place::low, Place::high}) {
    const Arena arena(device, mirror_case(), place, 1);
    for (const Buffer& buffer : arena.buffers()) {
      const bool low = place == Place::low;
      EXPECT_GE(low ? buffer.back_bytes : buffer.front_bytes, 4096u);
      EXPECT_LT(low ? buffer.front_bytes : buffer.back_bytes, 16u);
      EXPECT_EQ((low ? buffer.begin() : buffer.end()) % 4096, 0u);
    }
  }
}

TEST(Arena, GuardsSpanARowWhereRowsAreLong) {
  FakeDevice device;
  const Arena arena(device, mirror_case({.width = 9000}), Place::low, 1);
  EXPECT_GE(arena.buffer("y").back_bytes, 18000u);
}

TEST(Arena, OrderOfAllocationFollowsTheSeed) {
  std::set<std::vector<std::size_t>> orders;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    FakeDevice device;
    const Arena arena(device, mirror_case(), Place::low, seed);
    std::vector<std::size_t> order;
    for (DevicePointer pointer : device.allocated)
      for (const Buffer& buffer : arena.buffers())
        if (buffer.begin() == pointer) order.push_back(buffer.ordinal);
    ASSERT_EQ(order.size(), 4u);
    orders.insert(order);
  }
  EXPECT_GE(orders.size(), 10u);
}

TEST(Arena, EveryChangedGuardByteIsFound) {
  FakeDevice device;
  Arena arena(device, mirror_case(), Place::low, 1);
  const Buffer& y = arena.buffer("y");
  for (std::size_t i = 0; i < y.back_bytes; i += 37) {
    for (const std::byte stray : {std::byte{0x00}, std::byte{0xFF}, std::byte{0x5A}}) {
      std::int64_t compared = 0;
      device.copy_to(y.data + y.data_bytes + i, &stray, 1);
      const std::vector<Breach> breaches = arena.check_guards(&compared);
      ASSERT_EQ(breaches.size(), 1u);
      EXPECT_EQ(breaches[0].tensor, "y");
      EXPECT_TRUE(breaches[0].past_end);
      EXPECT_EQ(breaches[0].first_byte, i);
      arena.write_guards();
    }
  }
  std::int64_t compared = 0;
  EXPECT_THAT(arena.check_guards(&compared), IsEmpty());
  EXPECT_GE(compared, 4 * 4096);
}

TEST(Arena, GuardBytesDependOnThePositionAndTheTensor) {
  FakeDevice device;
  Arena arena(device, mirror_case(), Place::low, 1);
  // A block copy from guard to guard, within a tensor or between two, must not go unseen.
  std::vector<std::byte> block(64);
  const Buffer &x = arena.buffer("x"), &y = arena.buffer("y");
  std::int64_t compared = 0;
  device.copy_from(block.data(), x.data + x.data_bytes, block.size());
  device.copy_to(y.data + y.data_bytes, block.data(), block.size());
  EXPECT_EQ(arena.check_guards(&compared).size(), 1u);
  arena.write_guards();
  device.copy_to(x.data + x.data_bytes + 64, block.data(), block.size());
  EXPECT_EQ(arena.check_guards(&compared).size(), 1u);
}

TEST(Arena, LocatesAddressesInWords) {
  FakeDevice device;
  const Arena arena(device, mirror_case(), Place::low, 1);
  const Buffer& y = arena.buffer("y");
  EXPECT_EQ(arena.locate(y.data + 6), "6 bytes into y");
  EXPECT_EQ(arena.locate(y.data + y.data_bytes + 2), "2 bytes past the end of y");
  EXPECT_EQ(arena.locate(y.data - 1), "1 bytes before y");
  EXPECT_EQ(arena.locate(64), "");
}

TEST(Arena, RestoreTouchesNothingButInouts) {
  FakeDevice device;
  const Case which = mirror_case();
  Arena arena(device, which, Place::high, 1);
  const TensorImages images = Inputs(which, 1).images(0, Poison::a);
  arena.write(images);
  const std::byte mark{0x42};
  for (const char* name : {"x", "acc"}) device.copy_to(arena.buffer(name).data, &mark, 1);
  arena.restore(images);
  EXPECT_EQ(arena.read(arena.buffer("x")).bytes[0], mark);
  EXPECT_EQ(arena.read(arena.buffer("acc")).bytes, images.at("acc").bytes);
}

TEST(Arena, ReleasesWhatItHasWhenMemoryRunsOut) {
  FakeDevice device;
  const Case which = mirror_case({.rows = 100, .width = 1000});
  device.memory_limit_bytes = 1000 * 100 * 2 + 2 * 8192;  // y and x with padding do not fit
  Case wide = which;
  wide.row_strides["x"] = 100000;
  EXPECT_THROW(Arena(device, wide, Place::low, 3), std::bad_alloc);
  EXPECT_EQ(device.live_buffers(), 0u);
}

TEST(Arena, UnknownTensorIsNamed) {
  FakeDevice device;
  const Arena arena(device, mirror_case(), Place::low, 1);
  try {
    arena.buffer("nope");
    FAIL();
  } catch (const std::out_of_range& error) {
    EXPECT_THAT(error.what(), HasSubstr("'nope'"));
  }
}

TEST(Binding, FollowsTheOrderOfTheArguments) {
  FakeDevice device;
  Case which = mirror_case();
  auto family = mirror_family();
  family->scalars = {{"eps", ScalarDecl::Type::f32, 0.5, {}},
                     {"count", ScalarDecl::Type::i32, 7, {}},
                     {"offset", ScalarDecl::Type::i64, -3, {}}};
  which.geometry.family = family;
  const Arena arena(device, which, Place::low, 1);
  using Kind = Argument::Kind;
  Launch launch{"k", {2, 3, 4}, {64, 1, 1}, 128, {}};
  launch.arguments = {{Kind::scalar, "eps"},  {Kind::tensor, "y"},     {Kind::row_stride, "y"},
                      {Kind::symbol, "rows"}, {Kind::scalar, "count"}, {Kind::scalar, "offset"}};
  const KernelLaunch bound = bind(launch, which, arena);
  EXPECT_EQ(bound.entry, "k");
  EXPECT_EQ(bound.grid, launch.grid);
  EXPECT_EQ(bound.block, launch.block);
  EXPECT_EQ(bound.lds_bytes, 128);
  const std::vector<KernelArgument> expected{0.5f,
                                             arena.buffer("y").data,
                                             std::int64_t{8},
                                             std::int64_t{6},
                                             std::int32_t{7},
                                             std::int64_t{-3}};
  EXPECT_EQ(bound.arguments, expected);
  launch.arguments = {{Kind::scalar, "gone"}};
  EXPECT_THROW(bind(launch, which, arena), std::logic_error);
  launch.arguments = {{Kind::symbol, "width"}};  // static: no argument
  EXPECT_THROW(bind(launch, which, arena), std::logic_error);
}

}  // namespace
}  // namespace fusetune::test

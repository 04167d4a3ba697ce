// What a library is told of launches that are not those of its table.

#include "harness/runtime/runtime.hpp"

#include <gmock/gmock.h>

namespace fusetune::runtime {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Launch launch(const std::string& entry) { return {entry, {4, 2, 1}, {256, 1, 1}, 64, "c0de"}; }

TEST(Differences, EqualListsHaveNone) {
  EXPECT_THAT(differences({}, {}), IsEmpty());
  EXPECT_THAT(differences({launch("a"), launch("b")}, {launch("a"), launch("b")}), IsEmpty());
}

TEST(Differences, EveryPartOfALaunchCounts) {
  for (const auto& change : std::vector<void (*)(Launch&)>{
           [](Launch& one) { one.entry = "b"; }, [](Launch& one) { one.grid[2] = 2; },
           [](Launch& one) { one.block[0] = 128; }, [](Launch& one) { one.lds_bytes = 0; },
           [](Launch& one) { one.code_identity = "other"; }}) {
    Launch other = launch("a");
    change(other);
    EXPECT_THAT(differences({launch("a")}, {other}),
                ElementsAre(AllOf(HasSubstr("launch 0: expected " + to_string(launch("a"))),
                                  HasSubstr("launched " + to_string(other)))));
  }
}

TEST(Differences, WhatIsMissingAndWhatIsTooMuchIsSaid) {
  EXPECT_THAT(differences({launch("a"), launch("b")}, {launch("a")}),
              ElementsAre(HasSubstr("nothing was launched")));
  EXPECT_THAT(differences({}, {launch("a")}), ElementsAre(HasSubstr("nothing was expected")));
}

TEST(Device, AnUnknownOneIsRefusedWithWhatThereIs) {
  try {
    Device::open("hots-w64");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("host-w64"));
  }
}

TEST(Device, ARowWithoutCodeIsRefusedInWords) {
  Device device = Device::open("host-w64");
  EXPECT_EQ(device.architecture(), "host-w64");
  EXPECT_THROW(device.prepare({}), Error);
  EXPECT_EQ(device.compilations(), 0);
}

}  // namespace
}  // namespace fusetune::runtime

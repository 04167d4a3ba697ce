#include "harness/selftest/check_groups.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "harness/base/error.hpp"
#include "harness/verify/findings.hpp"

namespace fusetune::test {
namespace {

TEST(CheckGroups, EveryCheckBelongsToOne) {
  for (std::size_t i = 0; i < kCheckCount; ++i) {
    const std::string check(to_string(static_cast<Check>(i)));
    if (check == "launch") continue;
    const auto holders =
        std::count_if(check_groups().begin(), check_groups().end(),
                      [&](const CheckGroup& group) { return group.parts.count(check) != 0; });
    EXPECT_EQ(holders, 1) << check;
  }
}

TEST(CheckGroups, PartsAreChecksOrStatuses) {
  std::set<std::string> checks;
  for (std::size_t i = 0; i < kCheckCount; ++i) checks.emplace(to_string(static_cast<Check>(i)));
  for (const CheckGroup& group : check_groups()) {
    EXPECT_FALSE(group.modes.empty()) << group.name;
    for (const std::string& part : group.parts)
      EXPECT_TRUE(checks.count(part) != 0 || status_from_string(part)) << part;
  }
}

TEST(CheckGroups, AFailedLaunchBelongsToItsStatus) {
  EXPECT_EQ(group_of("launch", "race")->name, "races");
  EXPECT_EQ(group_of("launch", "out_of_bounds")->name, "guards");
  EXPECT_EQ(group_of("guards", "out_of_bounds")->name, "guards");
  EXPECT_EQ(group_of("launch", "divergent_barrier"), nullptr);
}

TEST(CheckGroups, UnknownNamesAreErrorsWithTheNearest) {
  try {
    find_check_group("guard");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("guards"));
  }
  EXPECT_THROW(mode_from_string("exactly"), UserError);
}

}  // namespace
}  // namespace fusetune::test

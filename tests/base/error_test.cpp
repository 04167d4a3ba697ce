#include "harness/base/error.hpp"

#include <gmock/gmock.h>

#include "harness/base/hash.hpp"
#include "harness/base/status.hpp"

namespace fusetune {
namespace {

TEST(Nearest, FindsSlipsAndRefusesStrangers) {
  const std::vector<std::string> names{"block_size", "rows_per_iter", "mapping"};
  EXPECT_EQ(nearest("block_sise", names), "block_size");
  EXPECT_EQ(nearest("row_per_iter", names), "rows_per_iter");
  EXPECT_EQ(nearest("temperature", names), "");
  EXPECT_EQ(nearest("x", {}), "");
}

TEST(UnknownName, SaysWhatAndListsTheOthers) {
  EXPECT_EQ(unknown_name("axis", "maping", {"mapping", "block_size"}),
            "unknown axis 'maping'; did you mean 'mapping'? (one of: mapping, block_size)");
  EXPECT_EQ(unknown_name("axis", "zzzzzzzz", {"mapping"}),
            "unknown axis 'zzzzzzzz' (one of: mapping)");
}

TEST(Mark, IsShortWhereAPartIsUnknown) {
  EXPECT_EQ((Mark{"a.yaml", 3, 7}.text()), "a.yaml:3:7");
  EXPECT_EQ((Mark{"a.yaml", 3, 0}.text()), "a.yaml:3");
  EXPECT_EQ((Mark{"a.yaml", 0, 0}.text()), "a.yaml");
  EXPECT_STREQ(UserError(Mark{"a.yaml", 3, 7}, "no").what(), "a.yaml:3:7: no");
  EXPECT_STREQ(UserError(Mark{}, "no").what(), "no");
}

TEST(Status, HasOneNameEach) {
  for (int i = 0; i <= static_cast<int>(Status::skipped); ++i) {
    const auto status = static_cast<Status>(i);
    EXPECT_NE(to_string(status), "?");
    EXPECT_EQ(status_from_string(to_string(status)), status);
  }
  EXPECT_EQ(status_from_string("fine"), std::nullopt);
}

TEST(Status, WrongResultsCrashesAndMissingCompilersHaveTheirExitCodes) {
  EXPECT_EQ(exit_code_of(Status::ok), ExitCode::pass);
  EXPECT_EQ(exit_code_of(Status::out_of_bounds), ExitCode::verification_failed);
  EXPECT_EQ(exit_code_of(Status::kernel_timeout), ExitCode::kernel_crash);
  EXPECT_EQ(exit_code_of(Status::compile_error), ExitCode::unusable);
}

TEST(Hash, PartsAreNoConcatenation) {
  EXPECT_EQ(hash_hex("abc").size(), 32U);
  EXPECT_EQ(hash_hex("abc"), hash_hex("abc"));
  EXPECT_NE(hash_hex({"ab", "c"}), hash_hex({"a", "bc"}));
  EXPECT_NE(hash_hex({"ab"}), hash_hex({"ab", ""}));
  // In pieces as in one: keys of stores depend on it. Longer than a block of the hash.
  const std::string large(5000, 'x');
  EXPECT_EQ(hash_hex({"ab", large}), hash_hex("2:ab5000:" + large));
  HashFields fields;
  fields.add(large);
  fields.add(std::uint64_t{7});
  EXPECT_EQ(fields.hex(), hash_hex(std::string("\x88\x13\0\0\0\0\0\0", 8) + large +
                                   std::string("\x07\0\0\0\0\0\0\0", 8)));
}

}  // namespace
}  // namespace fusetune

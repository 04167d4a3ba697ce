#include "harness/spec/target.hpp"

#include <gmock/gmock.h>

#include "harness/base/error.hpp"
#include "harness/spec/dtype.hpp"
#include "harness/spec/value.hpp"

namespace fusetune {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string error_of(std::string_view name) {
  try {
    return "no error: " + parse_target(name).name;
  } catch (const UserError& error) {
    return error.what();
  }
}

TEST(Target, NameGivesPlatformAndWaveSize) {
  const std::vector<std::pair<std::string, Target>> targets{
      {"host", {"host-w64", Platform::host, 64}},
      {"host-w64", {"host-w64", Platform::host, 64}},
      {"host-w32", {"host-w32", Platform::host, 32}},
      {"gfx906", {"gfx906", Platform::amd, 64}},
      {"gfx90a", {"gfx90a", Platform::amd, 64}},
      {"gfx942", {"gfx942", Platform::amd, 64}},
      {"gfx1030", {"gfx1030", Platform::amd, 32}},
      {"gfx1100", {"gfx1100", Platform::amd, 32}},
      {"gfx1201", {"gfx1201", Platform::amd, 32}},
      {"sm_80", {"sm_80", Platform::nvidia, 32}},
      {"sm_90a", {"sm_90a", Platform::nvidia, 32}},
      {"sm_120", {"sm_120", Platform::nvidia, 32}}};
  for (const auto& [name, target] : targets) EXPECT_EQ(parse_target(name), target) << name;
}

TEST(Target, KnownOnesParseToThemselves) {
  ASSERT_FALSE(known_targets().empty());
  for (const std::string& name : known_targets()) EXPECT_EQ(parse_target(name).name, name);
}

TEST(Target, MalformedNamesAreRefusedWithTheNearest) {
  for (const char* name :
       {"",         "gfx",    "gfx9",     "gfx94", "gfx94g", "gfx803",       "gfx1300",
        "gfx13000", "gfx90A", "gfx942 ",  "sm_",   "sm_9",   "sm_90x",       "sm_0900",
        "sm_090",   "sm90",   "host-w16", "host-", "cuda",   "gfx90a:xnack-"})
    EXPECT_THAT(error_of(name), HasSubstr("unknown target '" + std::string(name) + "'"));
  EXPECT_THAT(error_of("gfx90A"), HasSubstr("did you mean 'gfx90a'?"));
  EXPECT_THAT(error_of("GFX1036"), HasSubstr("did you mean 'gfx1036'?")) << "not a listed one";
  EXPECT_THAT(error_of("gfx942:sramecc+:xnack-"), HasSubstr("did you mean 'gfx942'?"));
  EXPECT_THAT(error_of("sm90"), HasSubstr("did you mean 'sm_90'?"));
  EXPECT_THAT(error_of("host-w16"), HasSubstr("did you mean 'host-w64'?"));
  EXPECT_THAT(error_of("opencl"), AllOf(HasSubstr("targets are host-w64"), Not(HasSubstr("did"))));
}

TEST(DTypes, NamesAndSizes) {
  const std::vector<std::pair<std::string, std::int64_t>> sizes{
      {"bf16", 2},     {"fp16", 2}, {"fp32", 4},     {"i32", 4},  {"i64", 8}, {"e4m3fn", 1},
      {"e4m3fnuz", 1}, {"e5m2", 1}, {"e5m2fnuz", 1}, {"e8m0", 1}, {"u8", 1}};
  ASSERT_EQ(all_dtypes().size(), sizes.size());
  for (const auto& [name, size] : sizes) {
    const auto dtype = dtype_from_string(name);
    ASSERT_TRUE(dtype.has_value()) << name;
    EXPECT_EQ(to_string(*dtype), name);
    EXPECT_EQ(size_bytes(*dtype), size) << name;
  }
  EXPECT_FALSE(dtype_from_string("float").has_value());
  EXPECT_FALSE(dtype_from_string("").has_value());
  EXPECT_FALSE(dtype_from_string("BF16").has_value());
}

TEST(Values, PrintAsInKeys) {
  EXPECT_EQ(to_string(Value{true}), "true");
  EXPECT_EQ(to_string(Value{std::int64_t{-4}}), "-4");
  EXPECT_EQ(to_string(Value{Enum{"merged"}}), "merged");
  EXPECT_EQ(to_string(Bindings{}), "");
  EXPECT_EQ(to_string(Bindings{{"rows_per_iter", std::int64_t{4}}, {"mapping", Enum{"row"}}}),
            "mapping=row,rows_per_iter=4");
}

}  // namespace
}  // namespace fusetune

// Whole numbers of files and messages: read as what they are, or refused with words.

#include "harness/base/json.hpp"

#include <gmock/gmock.h>

#include <limits>

namespace fusetune {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(WholeNumbers, AreReadToTheEndsOfTheirRange) {
  const auto lowest = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(Json(lowest).get<std::int64_t>(), lowest);
  EXPECT_EQ(Json::parse("18446744073709551615").get<std::uint64_t>(),
            std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(Json::parse("[1, -2]").get<std::vector<std::int32_t>>(),
            (std::vector<std::int32_t>{1, -2}));
  EXPECT_EQ(Json::parse("{}").value("absent", 7), 7);
  EXPECT_EQ(Json::parse("3").get<double>(), 3);
}

TEST(WholeNumbers, NothingElseIsReadAsOne) {
  for (const char* text :
       {"4e+96", "-4e+96", "2.5", "1000.0", "18446744073709551615", "true", "\"3\""})
    EXPECT_THAT([text] { return Json::parse(text).get<std::int64_t>(); },
                ThrowsMessage<Json::exception>(HasSubstr(text)))
        << text;
  EXPECT_THROW(Json(-1).get<std::uint64_t>(), Json::exception);
  EXPECT_THROW(Json(std::int64_t{1} << 31).get<std::int32_t>(), Json::exception);
  EXPECT_THROW(Json::parse("[1, 2.5]").get<std::vector<std::int64_t>>(), Json::exception);
}

}  // namespace
}  // namespace fusetune

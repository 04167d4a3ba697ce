// Lists of golden cases: what a bad one says, and who may lend inputs to whom.

#include <gmock/gmock.h>

#include "harness/base/error.hpp"
#include "harness/verify/golden.hpp"

namespace fusetune::test {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

std::string list_error(SafetensorsFile file) {
  try {
    golden_cases(std::move(file), "f");
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

TEST(GoldenCases, BadListsAreUserErrors) {
  SafetensorsFile file;
  EXPECT_THAT(list_error(file), HasSubstr("f: __metadata__ has no list of cases"));
  for (const char* bad : {"", "{", "{}", "[]", "[1]", R"([{"case":"c"}])",
                          R"([{"case":1,"family":"f","params":{},"tensors":{}}])"}) {
    file.metadata["cases"] = bad;
    EXPECT_THAT(list_error(file), HasSubstr("f: ")) << bad;
  }
  for (const char* params : {"1", "[]", "\"a\"", "null"}) {
    file.metadata["cases"] =
        std::string(R"([{"case":"c","family":"f","tensors":{},"params":)") + params + "}]";
    EXPECT_THAT(list_error(file), HasSubstr("f: case c: its params are no object")) << params;
  }
  const char* one = R"([{"case":"c","family":"f","params":{},"tensors":{"t":["u8",[2]]}}])";
  file.metadata["cases"] = one;
  EXPECT_THAT(list_error(file), HasSubstr("names tensor 't', which the file does not have"));
  file.tensors["c/t"] = {"U8", {3}, std::vector<std::byte>(3)};
  EXPECT_THAT(list_error(file), HasSubstr("two shapes"));
  file.tensors["c/t"] = {"U8", {2}, std::vector<std::byte>(2)};
  EXPECT_EQ(list_error(file), "no error");
}

/// Three cases a, b and c of one tensor each, with these parameters.
SafetensorsFile three_cases(const std::string& a, const std::string& b, const std::string& c) {
  SafetensorsFile file;
  std::string list;
  for (const auto& [name, params] : {std::pair("a", a), {"b", b}, {"c", c}}) {
    list += list.empty() ? "[" : ",";
    list += std::string(R"({"case":")") + name + R"(","family":"f","params":)" + params +
            R"(,"tensors":{"t)" + name + R"(":["u8",[1]]}})";
    file.tensors[std::string(name) + "/t" + name] = {"U8", {1}, std::vector<std::byte>(1)};
  }
  file.metadata["cases"] = list + "]";
  return file;
}

TEST(GoldenCases, ACaseLendsItsTensorsAndKeepsThem) {
  const auto cases = golden_cases(three_cases("{}", R"({"inputs":"a"})", R"({"inputs":"a"})"), "f");
  EXPECT_TRUE(cases[0].lends);
  EXPECT_EQ(cases[0].tensors.size(), 1u);
  for (const std::size_t borrower : {1u, 2u}) {
    EXPECT_FALSE(cases[borrower].lends);
    EXPECT_EQ(cases[borrower].tensors.size(), 2u);
    EXPECT_THAT(cases[borrower].lent, UnorderedElementsAre("ta"));
  }
}

TEST(GoldenCases, NobodyLendsToItselfOrLendsOn) {
  EXPECT_EQ(list_error(three_cases(R"({"inputs":"a"})", "{}", "{}")),
            "f: case a takes its own inputs");
  for (const auto& [a, b] : {std::pair("{}", R"({"inputs":"a"})"), {R"({"inputs":"b"})", "{}"}}) {
    const bool forward = std::string(a) == "{}";
    EXPECT_EQ(list_error(three_cases(a, b, forward ? R"({"inputs":"b"})" : R"({"inputs":"a"})")),
              forward ? "f: case c takes the inputs of b, which takes them of a itself"
                      : "f: case c takes the inputs of a, which takes them of b itself");
  }
  EXPECT_THAT(list_error(three_cases(R"({"inputs":"d"})", "{}", "{}")),
              HasSubstr("f: case a takes the inputs of 'd', which the file does not have"));
}

}  // namespace
}  // namespace fusetune::test

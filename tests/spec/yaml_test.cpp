#include "harness/spec/yaml.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/files.hpp"

namespace fusetune {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

YamlNode parse(std::string_view text) { return YamlNode::parse(text, "f.yaml"); }

std::string parse_error(std::string_view text) {
  return error_of([&] { parse(text); });
}

/// The scalar as the value of a key.
YamlNode scalar(const std::string& text) { return parse("key: " + text).at("key"); }

TEST(Yaml, ReadsWhatIsThere) {
  const YamlNode root = parse(
      "name: quickstart  # words\n"
      "list: [1, two, {three: 3}]\n"
      "block:\n"
      "  - on\n"
      "  - 'quoted: text'\n"
      "none:\n"
      "tilde: ~\n");
  EXPECT_TRUE(root.is_map());
  EXPECT_EQ(root.at("name").as_string(), "quickstart");
  const std::vector<YamlNode> list = root.at("list").items();
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0].as_int(), 1);
  EXPECT_EQ(list[1].as_string(), "two");
  EXPECT_EQ(list[2].at("three").as_int(), 3);
  EXPECT_EQ(root.at("block").items()[1].as_string(), "quoted: text");
  EXPECT_EQ(root.at("none").kind(), YamlNode::Kind::null);
  EXPECT_EQ(root.at("tilde").kind(), YamlNode::Kind::null);
  EXPECT_FALSE(root.find("absent").has_value());
  std::vector<std::string> keys;
  for (const auto& [key, value] : root.entries()) keys.push_back(key.as_string());
  EXPECT_THAT(keys, ElementsAre("name", "list", "block", "none", "tilde")) << "in file order";
}

TEST(Yaml, EveryNodeKnowsItsPlace) {
  const YamlNode root = parse(
      "a: [x, \"y + z\"]\r\n"
      "b:\r\n"
      "  c: '\xC3\xA9'\r\n"
      "  d: 'w'\r\n"
      "  e:\r\n"
      "f: 1\r\n");
  EXPECT_EQ(root.mark().text(), "f.yaml:1:1");
  EXPECT_EQ(root.at("a").mark().text(), "f.yaml:1:4");
  EXPECT_EQ(root.at("a").items()[0].mark().text(), "f.yaml:1:5");
  EXPECT_EQ(root.at("a").items()[1].mark().text(), "f.yaml:1:9") << "the text begins in the quotes";
  const auto entries = root.at("b").entries();
  EXPECT_EQ(entries[0].first.mark().text(), "f.yaml:3:3");
  EXPECT_EQ(entries[1].first.mark().text(), "f.yaml:4:3");
  EXPECT_EQ(entries[1].second.mark().text(), "f.yaml:4:7");
  EXPECT_EQ(entries[2].second.mark().text(), "f.yaml:5:3") << "a missing value has its key's place";
  EXPECT_EQ(root.at("f").mark().text(), "f.yaml:6:4");
}

TEST(Yaml, DuplicateKeysAreErrorsAtEveryLevel) {
  EXPECT_EQ(parse_error("a: 1\nb: 2\na: 3\n"),
            "f.yaml:3:1: duplicate key 'a'; it is already on line 1");
  EXPECT_THAT(parse_error("a:\n  b: 1\n  b: 1\n"), StartsWith("f.yaml:3:3: duplicate key 'b'"));
  EXPECT_THAT(parse_error("a: {b: 1, c: [{d: 1, d: 2}]}"),
              StartsWith("f.yaml:1:22: duplicate key 'd'"));
  EXPECT_THAT(parse_error("{a: 1, 'a': 2}"), HasSubstr("duplicate key 'a'"));
  EXPECT_THAT(parse_error("1: a\n1: b\n"), HasSubstr("duplicate key '1'"));
}

TEST(Yaml, WhatIsNotSupportedIsRefused) {
  const std::vector<std::pair<std::string, std::string>> errors{
      {"a: &x 1", "f.yaml:1:4: anchors (&name) are not supported"},
      {"a: &x [1]", "f.yaml:1:4: anchors"},
      {"a: &x {b: 1}", "f.yaml:1:4: anchors"},
      {"a: *x", "f.yaml:1:4: aliases (*name) are not supported"},
      {"a: 1\n<<: {b: 2}", "f.yaml:2:1: merge keys (<<) are not supported"},
      {"a: !!int 3", "f.yaml:1:4: tags (tag:yaml.org,2002:int) are not supported"},
      {"a: !merged_rows", "f.yaml:1:4: tags (!merged_rows) are not supported; quote"},
      {"a: !x {b: 1}", "f.yaml:1:4: tags"},
      {"a: !x [b]", "f.yaml:1:4: tags"},
      {"a: 1\n---\nb: 2", "f.yaml:2:1: a second document"},
      {"a: 1\n...\n---\n", "f.yaml:3:1: a second document"},
      {"? [a]\n: 1", "f.yaml:1:3: a key must be a word or a number"},
      {": 1", "f.yaml:1:1: a key is missing before ':'"},
      {"~: 1", "f.yaml:1:1: a key is missing before ':'"},
      {"a: 1\nb\n", "f.yaml:2:1: expected ':' after 'b'"},
      {"a:\n- b\n-c\n", "f.yaml:3:1: expected ':' after '-c'"}};
  for (const auto& [text, message] : errors) EXPECT_THAT(parse_error(text), StartsWith(message));
  EXPECT_EQ(parse("'<<': 1").at("<<").as_int(), 1) << "quoted, it is a key like others";
}

TEST(Yaml, SyntaxErrorsHaveAPlace) {
  const std::vector<std::pair<std::string, std::string>> errors{
      {"a:\n\tb: 1", "f.yaml:2:1: a tab as indentation; use spaces"},
      {"a:\n  \tb: 1", "f.yaml:2:3: a tab"},
      {"a: c ? x : y", "f.yaml:1:10: not valid YAML: illegal map value (a ':' where none can be"},
      {"a: [1, 2", "f.yaml:1:"},
      {"a: 1\nb: 'x", "f.yaml:2:"},
      {"a: {b: 1}}", "f.yaml:1:10: not valid YAML"},
      {"a: %x", "f.yaml:1:4: not valid YAML: unknown token (quote"},
      {"a: \"\\q\"", "f.yaml:1:7: not valid YAML"},
      {"a: \xC3\xA9 \xFF", "f.yaml:1:7: byte 0xff is no text"},
      {"a: \xED\xA0\x80", "f.yaml:1:4: byte 0xed is no text"},
      {std::string("a: b\0c", 6), "f.yaml:1:5: byte 0x00 is no text"},
      {"a: \xC3", "f.yaml:1:4: byte 0xc3 is no text"}};
  for (const auto& [text, message] : errors) EXPECT_THAT(parse_error(text), StartsWith(message));
  EXPECT_EQ(parse("a:\tb").at("a").as_string(), "b") << "tabs elsewhere are fine";
}

TEST(Yaml, EmptyFilesSaySo) {
  for (const char* text : {"", "\n\n", "# only a comment\n", "---\n", "~", "\xEF\xBB\xBF"})
    EXPECT_EQ(parse_error(text), "f.yaml:1:1: the file is empty") << text;
  EXPECT_EQ(parse("\xEF\xBB\xBF"
                  "a: \"b\"")
                .at("a")
                .mark()
                .text(),
            "f.yaml:1:5")
      << "behind a BOM";
}

TEST(Yaml, HugeFilesFailInWords) {
  EXPECT_THAT(parse_error(std::string(2000000, 'a')), HasSubstr("larger than 1048576 bytes"));
  EXPECT_THAT(parse_error(std::string(10000, '[')), HasSubstr("nested more than 64 levels deep"));
  EXPECT_THAT(parse_error(std::string(10000, '{')), HasSubstr("nested more than 64 levels deep"));
  std::string blocks;
  for (int i = 0; i < 5000; ++i) blocks += "- ";
  EXPECT_THAT(parse_error(blocks), HasSubstr("nested more than 64 levels deep"));
  std::string deep(63, '[');
  EXPECT_EQ(parse_error("a: " + deep + std::string(63, ']')), "no error");
  EXPECT_THAT(parse_error("a: [" + deep + std::string(64, ']')), HasSubstr("f.yaml:1:67: nested"));
}

TEST(Yaml, IntegersAreStrict) {
  EXPECT_EQ(scalar("0").as_int(), 0);
  EXPECT_EQ(scalar("-12").as_int(), -12);
  EXPECT_EQ(scalar("9223372036854775807").as_int(), INT64_MAX);
  EXPECT_EQ(scalar("-9223372036854775808").as_int(), INT64_MIN);
  const std::vector<std::pair<std::string, std::string>> errors{
      {"010", "expected an integer (without leading zeros), found '010'"},
      {"-01", "expected an integer (without leading zeros), found '-01'"},
      {"-0", "expected an integer, found '-0'"},
      {"0x10", "expected an integer (decimal only), found '0x10'"},
      {"0o10", "expected an integer (decimal only), found '0o10'"},
      {"1_000", "expected an integer (without underscores), found '1_000'"},
      {"+5", "expected an integer (without '+'), found '+5'"},
      {"1.0", "expected an integer, found '1.0'"},
      {"1e3", "expected an integer, found '1e3'"},
      {"abc", "expected an integer, found 'abc'"},
      {"'5'", "expected an integer, found the text \"5\""},
      {"", "expected an integer, found nothing"},
      {"[5]", "expected an integer, found a list"},
      {"{a: 5}", "expected an integer, found a map"},
      {"9223372036854775808", "the integer 9223372036854775808 does not fit in 64 bits"}};
  for (const auto& [text, message] : errors)
    EXPECT_THAT(error_of([&] { scalar(text).as_int(); }), HasSubstr(message)) << text;
  EXPECT_THAT(error_of([&] { scalar("1.5").as_int(); }), StartsWith("f.yaml:1:6: "));
}

TEST(Yaml, DoublesAreFiniteDecimals) {
  EXPECT_EQ(scalar("0.5").as_double(), 0.5);
  EXPECT_EQ(scalar("-3").as_double(), -3.0);
  EXPECT_EQ(scalar("1.0e-6").as_double(), 1.0e-6);
  EXPECT_EQ(scalar("2E+3").as_double(), 2000.0);
  EXPECT_EQ(scalar("0").as_double(), 0.0);
  for (const char* text : {".5",   "5.",    "010", "01.5",     "1_0.5", "0x1p3", ".inf", "-.inf",
                           ".nan", "nan",   "inf", "infinity", "1e",    "1e+",   "+1.5", "1.5f",
                           "1,5",  "'1.5'", "",    "[1.5]",    "1.5.2", "e5"})
    EXPECT_THAT(error_of([&] { scalar(text).as_double(); }),
                HasSubstr("expected a finite decimal number"))
        << text;
  EXPECT_THAT(error_of([&] { scalar("1e400").as_double(); }), HasSubstr("out of the range"));
  EXPECT_THAT(error_of([&] { scalar("-1e400").as_double(); }), HasSubstr("out of the range"));
  EXPECT_THAT(error_of([&] { scalar("1e-400").as_double(); }), HasSubstr("out of the range"));
}

TEST(Yaml, BooleansAreTrueAndFalseOnly) {
  EXPECT_TRUE(scalar("true").as_bool());
  EXPECT_FALSE(scalar("false").as_bool());
  for (const char* text : {"on", "off", "yes", "no", "True", "FALSE", "1", "'true'", "", "[true]"})
    EXPECT_THAT(error_of([&] { scalar(text).as_bool(); }), HasSubstr("expected true or false"));
  EXPECT_EQ(scalar("off").as_string(), "off") << "a name of a value";
}

TEST(Yaml, KindsAreChecked) {
  EXPECT_THAT(error_of([] { scalar("[a]").as_string(); }),
              HasSubstr("expected text, found a list"));
  EXPECT_THAT(error_of([] { scalar("").as_string(); }), HasSubstr("expected text, found nothing"));
  EXPECT_THAT(error_of([] { scalar("a").entries(); }), HasSubstr("expected a map, found 'a'"));
  EXPECT_THAT(error_of([] { scalar("[a]").find("x"); }), HasSubstr("expected a map, found a list"));
  EXPECT_THAT(error_of([] { scalar("{a: 1}").items(); }),
              HasSubstr("expected a list, found a map"));
  EXPECT_THAT(error_of([] { scalar("").items(); }), HasSubstr("expected a list, found nothing"));
  EXPECT_EQ(scalar("a").items().size(), 1U) << "a scalar is a list of one";
  EXPECT_TRUE(scalar("[]").items().empty());
  EXPECT_EQ(error_of([] { parse("a: {b: 1}").at("a").at("c"); }),
            "f.yaml:1:4: the key 'c' is required here");
}

TEST(Yaml, UnknownKeysAreErrorsAtTheKey) {
  const YamlNode node = parse("sweep: x\n  \ndevise: y\n");
  EXPECT_EQ(error_of([&] {
              node.allow_keys({"sweep", "device"}, "key of a sweep");
            }),
            "f.yaml:3:1: unknown key of a sweep 'devise'; did you mean 'device'? (one of: sweep, "
            "device)");
  EXPECT_NO_THROW(node.allow_keys({"sweep", "devise"}, "key of a sweep"));
  EXPECT_THAT(error_of([] { scalar("x").allow_keys({}, "key of a sweep"); }),
              HasSubstr("expected a map"));
}

TEST(Yaml, WordsOfAList) {
  EXPECT_EQ(scalar("cold").as_one_of({"cold", "hot"}, "data mode"), "cold");
  EXPECT_EQ(error_of([] {
              scalar("cald").as_one_of({"cold", "hot"}, "data mode");
            }),
            "f.yaml:1:6: unknown data mode 'cald'; did you mean 'cold'? (one of: cold, hot)");
  EXPECT_THAT(error_of([] { scalar("[cold]").as_one_of({"cold"}, "data mode"); }),
              HasSubstr("expected the name of a data mode, found a list"));
}

TEST(Yaml, LoadsFilesOfTheProject) {
  const YamlNode family = YamlNode::load(std::filesystem::path(FUSETUNE_SOURCE_DIR) /
                                         "kernels/split_reshape_cat/family.yaml");
  EXPECT_EQ(family.at("family").as_string(), "split_reshape_cat");
  EXPECT_EQ(family.mark().file, "kernels/split_reshape_cat/family.yaml");
  EXPECT_THAT(error_of([] { YamlNode::load("no/such/file.yaml"); }),
              HasSubstr("no/such/file.yaml"));
  EXPECT_THAT(error_of([] { YamlNode::load("/"); }), HasSubstr("cannot read /: it is no file"));
  EXPECT_THAT(error_of([] { YamlNode::load("/dev/zero"); }), HasSubstr("it is no file"));
}

}  // namespace
}  // namespace fusetune

#include "harness/report/escape.hpp"

#include <gtest/gtest.h>

namespace fusetune {
namespace {

TEST(Escape, NothingOfANameIsMarkup) {
  EXPECT_EQ(escaped("<script>alert('x')</script>"),
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
  EXPECT_EQ(escaped("a\" onload=\"b & c"), "a&quot; onload=&quot;b &amp; c");
  EXPECT_EQ(escaped("plain, with\nlines\tand \xC3\x97"), "plain, with\nlines\tand \xC3\x97");
}

TEST(Escape, WhatIsNoTextIsReplaced) {
  const std::string replaced = "\xEF\xBF\xBD";
  EXPECT_EQ(escaped(std::string("a\0b", 3)), "a" + replaced + "b");
  EXPECT_EQ(escaped("\x1B[31m"), replaced + "[31m");
  EXPECT_EQ(escaped("\xC3"), replaced) << "half of a character";
  EXPECT_EQ(escaped("\xC0\xBC"), replaced + replaced) << "a longer form of <";
  EXPECT_EQ(escaped("\xED\xA0\x80"), replaced + replaced + replaced) << "a surrogate";
  EXPECT_EQ(escaped("\xF4\x90\x80\x80").find('\xF4'), std::string::npos) << "beyond Unicode";
}

TEST(Escape, KeysBreakBehindCommasAlone) {
  EXPECT_EQ(escaped_key("f(a=1,b=<2>)"), "f(<wbr>a=1,<wbr>b=&lt;2&gt;)");
}

TEST(Escape, AScriptElementCannotBeEndedByItsData) {
  const Json json{{"</script><script>", "<!-- & \xFF"}};
  const std::string text = script_json(json);
  EXPECT_EQ(text.find_first_of("<>&"), std::string::npos) << text;
  const Json back = Json::parse(text);
  EXPECT_EQ(back.begin().key(), "</script><script>");
}

TEST(Escape, SlugsAreSafeNames) {
  EXPECT_EQ(slug("rmsnorm_gemma(residual=on,width=2048)"), "rmsnorm-gemma-residual-on-width-2048");
  EXPECT_EQ(slug("../../etc/Passwd"), "etc-passwd");
  EXPECT_EQ(slug("///"), "x");
}

}  // namespace
}  // namespace fusetune

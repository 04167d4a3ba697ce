#include "harness/spec/expr.hpp"

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/spec/expr_fixture.hpp"

namespace fusetune {
namespace {

using test::bindings;
using test::parse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string error_of(const std::string& text) {
  try {
    parse(text);
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

std::string eval_error_of(const std::string& text, const Bindings& values = bindings()) {
  try {
    return "no error: " + to_string(parse(text).eval(values));
  } catch (const EvalError& error) {
    return error.what();
  }
}

TEST(ExprParse, OperatorsBindAsInC) {
  const std::vector<std::pair<std::string, std::string>> same{
      {"a + b * a", "a + (b * a)"},
      {"a - b - a", "(a - b) - a"},
      {"a / b * a", "(a / b) * a"},
      {"-a * b", "(-a) * b"},
      {"a - -b", "a - (-b)"},
      {"a + b < a * b", "(a + b) < (a * b)"},
      {"a < b == b < a", "(a < b) == (b < a)"},
      {"!wide == wide", "(!wide) == wide"},
      {"wide == wide && wide", "(wide == wide) && wide"},
      {"wide || wide && wide", "wide || (wide && wide)"},
      {"wide || wide ? a : b", "(wide || wide) ? a : b"},
      {"wide ? a : wide ? b : a", "wide ? a : (wide ? b : a)"},
      {"wide ? wide ? a : b : a", "wide ? (wide ? a : b) : a"},
      {"\ta\n+\r\n b ", "a+b"}};
  for (const auto& [loose, grouped] : same) EXPECT_EQ(parse(loose), parse(grouped)) << loose;
  EXPECT_FALSE(parse("a - (b - a)") == parse("a - b - a"));
  EXPECT_FALSE(parse("wide ? a : b") == parse("wide ? b : a"));
  EXPECT_FALSE(parse("a") == parse("b"));
  EXPECT_FALSE(parse("layout == split") == parse("layout == merged"));
}

TEST(ExprParse, TypesAreKnown) {
  EXPECT_EQ(parse("a + 1").type(), Type::integer);
  EXPECT_EQ(parse("a == 1").type(), Type::boolean);
  EXPECT_EQ(parse("has(residual)").type(), Type::boolean);
  EXPECT_EQ(parse("wide ? layout : split").type(), Type::enumeration);
  EXPECT_EQ(Expr().type(), Type::integer);
}

TEST(ExprParse, ErrorsNameThePlaceAndTheNearest) {
  // The text begins at column 11.
  const std::vector<std::pair<std::string, std::string>> errors{
      {"", "family.yaml:7:11: the expression is empty"},
      {"  ", "family.yaml:7:11: the expression is empty"},
      {"a + toknes", "family.yaml:7:15: unknown name 'toknes'; did you mean 'tokens'?"},
      {"layout == mergd",
       "family.yaml:7:21: unknown value of layout 'mergd'; did you mean 'merged'?"},
      {"mergd == layout",
       "family.yaml:7:11: unknown value of layout 'mergd'; did you mean 'merged'?"},
      {"layut == merged", "family.yaml:7:11: unknown name 'layut'; did you mean 'layout'?"},
      {"merged == layut", "family.yaml:7:21: unknown name 'layut'; did you mean 'layout'?"},
      {"layout == 17", "family.yaml:7:21: unknown value of layout '17'; did you mean '16'?"},
      {"lay::split == layout", "family.yaml:7:11: unknown enumeration 'lay'"},
      {"layout::splat == layout",
       "family.yaml:7:11: unknown value of layout 'splat'; did you mean 'split'?"},
      {"bytes(atc)",
       "family.yaml:7:17: unknown argument of bytes() 'atc'; did you mean 'act'? (one of: act, "
       "ba)"},
      {"bytes(a + 1)", "family.yaml:7:11: bytes() takes one name"},
      {"bytes()", "family.yaml:7:11: bytes() takes one name"},
      {"cel_div(a, b)", "family.yaml:7:11: unknown function 'cel_div'; did you mean 'ceil_div'?"},
      {"1 + ceil_div(a)", "family.yaml:7:15: ceil_div() takes 2 arguments, not 1"},
      {"abs(a, b)", "family.yaml:7:11: abs() takes 1 argument, not 2"},
      {"min(a)", "family.yaml:7:11: min() takes 2 or more arguments, not 1"},
      {"gcd()", "family.yaml:7:11: gcd() takes 2 or more arguments, not 0"},
      {"merged", "family.yaml:7:11: 'merged' is a value of 'layout'"},
      {"wide ? off : on", "family.yaml:7:18: 'off' is a value of 'zero_fill'"},
      {"a = b", "family.yaml:7:13: '=' is no operator; '==' compares"},
      {"wide & wide", "family.yaml:7:16: '&' is no operator"},
      {"wide | wide", "family.yaml:7:16: '|' is no operator"},
      {"wide and wide",
       "family.yaml:7:16: expected an operator or the end, found 'and' (write '&&')"},
      {"a \xC3\xA9", "family.yaml:7:13: unexpected character '\xC3\xA9'"},
      {"a +", "family.yaml:7:14: expected a name, a number or '(' but the expression ends"},
      {"(a", "family.yaml:7:13: expected ')' but the expression ends"},
      {"a)", "family.yaml:7:12: expected an operator or the end, found ')'"},
      {"min(a, )", "family.yaml:7:18: expected a name, a number or '(', found ')'"},
      {"wide ? a", "family.yaml:7:19: expected ':' but the expression ends"},
      {"a b", "family.yaml:7:13: expected an operator or the end, found 'b'"},
      {"010", "family.yaml:7:11: '010' has a leading zero"},
      {"1 + 0x10", "family.yaml:7:15: '0x10' is not a decimal integer"},
      {"1.5", "family.yaml:7:11: '1.5' is not a decimal integer"},
      {"1_000", "family.yaml:7:11: '1_000' is not a decimal integer"},
      {"9223372036854775808", "family.yaml:7:11: '9223372036854775808' does not fit in 64 bits"}};
  for (const auto& [text, message] : errors) EXPECT_THAT(error_of(text), StartsWith(message));
}

TEST(ExprParse, TypeErrorsNameTheOperand) {
  const std::vector<std::pair<std::string, std::string>> errors{
      {"a + layout", "family.yaml:7:15: '+' takes integers, and 'layout' is a value of 'layout'"},
      {"a + (a < b)", "family.yaml:7:16: '+' takes integers, and 'a < b' is true or false"},
      {"wide && a", "family.yaml:7:19: '&&' takes true or false, and 'a' is an integer"},
      {"!a", "family.yaml:7:12: '!' takes true or false, and 'a' is an integer"},
      {"-wide", "family.yaml:7:12: '-' takes integers, and 'wide' is true or false"},
      {"a < b < a", "family.yaml:7:11: '<' takes integers, and 'a < b' is true or false"},
      {"layout < split",
       "family.yaml:7:11: '<' takes integers, and 'layout' is a value of 'layout'"},
      {"min(a, wide)", "family.yaml:7:18: 'min' takes integers, and 'wide' is true or false"},
      {"a ? a : b",
       "family.yaml:7:11: the condition of '?' is true or false, and 'a' is an integer"},
      {"wide ? a : wide", "family.yaml:7:22: the two sides of '? :' differ in type"},
      {"a == wide",
       "family.yaml:7:16: the two sides of '==' differ in type: 'a' is an integer, 'wide' is true "
       "or false"},
      {"a == layout", "family.yaml:7:11: the two sides of '==' differ in type"},
      {"layout == a", "family.yaml:7:21: the two sides of '==' differ in type"},
      {"layout == zero_fill", "family.yaml:7:11: the two sides of '==' differ in type"}};
  for (const auto& [text, message] : errors) EXPECT_THAT(error_of(text), StartsWith(message));
}

TEST(ExprParse, WithoutAPlaceTheTextIsShown) {
  try {
    Expr::parse("a + toknes", test::table());
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("(at character 5 of 'a + toknes')"));
  }
}

TEST(ExprParse, HugeTextsFailInWords) {
  EXPECT_THAT(error_of(std::string(5000, '(') + "a"), HasSubstr("nested more than 200 levels"));
  EXPECT_THAT(error_of(std::string(5000, '!') + "wide"), HasSubstr("nested more than 200 levels"));
  std::string sum = "a";
  for (int i = 0; i < 2000; ++i) sum += "+a";
  EXPECT_THAT(error_of(sum), HasSubstr("more than 1000 levels"));
  EXPECT_THAT(error_of(std::string(100000, ' ')), HasSubstr("longer than 16384"));
}

TEST(ExprEval, Values) {
  const std::vector<std::pair<std::string, std::string>> values{
      {"a / 4", "3"},
      {"a / -4", "-3"},
      {"b % 3", "1"},
      {"b % 5", "0"},
      {"a % 5", "2"},
      {"floor_div(b, 2)", "-3"},
      {"ceil_div(b, 2)", "-2"},
      {"floor_div(a, 5)", "2"},
      {"ceil_div(a, 5)", "3"},
      {"ceil_div(a, 4)", "3"},
      {"align_up(a, 8)", "16"},
      {"align_up(a, 4)", "12"},
      {"align_up(0, 8)", "0"},
      {"align_up(b, 4)", "-4"},
      {"min(a, b, 3)", "-5"},
      {"max(a, b, 30)", "30"},
      {"gcd(a, 8)", "4"},
      {"gcd(12, 18, 4)", "2"},
      {"gcd(b, 10)", "5"},
      {"gcd(0, 0)", "0"},
      {"gcd(-9223372036854775808, -1)", "1"},
      {"abs(b)", "5"},
      {"is_pow2(tokens)", "true"},
      {"is_pow2(a)", "false"},
      {"is_pow2(0)", "false"},
      {"is_pow2(-9223372036854775808)", "false"},
      {"ceil_div(9223372036854775807, 2)", "4611686018427387904"},
      {"floor_div(-9223372036854775808, 3)", "-3074457345618258603"},
      {"-9223372036854775808 / 1", "-9223372036854775808"},
      {"9223372036854775807 + 0", "9223372036854775807"},
      {"bytes(act) * align_bytes(x)", "32"},
      {"a <= 12", "true"},
      {"a >= 13", "false"},
      {"!wide == has(residual)", "true"},
      {"wide ? a : b", "-5"}};
  for (const auto& [text, value] : values)
    EXPECT_EQ(to_string(parse(text).eval(bindings())), value) << text;
}

TEST(ExprEval, FailuresNameTheSubExpression) {
  const std::vector<std::pair<std::string, std::string>> failures{
      {"1 + a / 5", "a / 5: 12 is not a multiple of 5"},
      {"1 + a / (b + 5)", "a / (b + 5): 12 is divided by zero"},
      {"a % (b + 5)", "a % (b + 5): the divisor is 0, not positive"},
      {"a % b", "a % b: the divisor is -5, not positive"},
      {"floor_div(a, 0)", "floor_div(a, 0): the divisor is 0, not positive"},
      {"ceil_div(a, b)", "ceil_div(a, b): the divisor is -5, not positive"},
      {"align_up(a, 0)", "align_up(a, 0): the divisor is 0, not positive"},
      {"align_up(9223372036854775807, 2)",
       "align_up(9223372036854775807, 2): the result does not fit in 64 bits"},
      {"9223372036854775807 + a", "9223372036854775807 + a: the result does not fit in 64 bits"},
      {"-9223372036854775808 - a", "-9223372036854775808 - a: the result does not fit in 64 bits"},
      {"1 + tokens * 9007199254740992",
       "tokens * 9007199254740992: the result does not fit in 64 bits"},
      {"-(-9223372036854775808)", "--9223372036854775808: the result does not fit in 64 bits"},
      {"-9223372036854775808 / -1", "-9223372036854775808 / -1: the result does not fit"},
      {"abs(-9223372036854775808)", "abs(-9223372036854775808): the result does not fit"},
      {"gcd(-9223372036854775808, 0)", "gcd(-9223372036854775808, 0): the result does not fit"}};
  for (const auto& [text, message] : failures)
    EXPECT_THAT(eval_error_of(text), StartsWith(message));
}

TEST(ExprEval, ValuesMustFitTheirNames) {
  EXPECT_EQ(eval_error_of("a + 1", {}), "'a' has no value");
  EXPECT_THAT(eval_error_of("a + 1", {{"a", Enum{"on"}}}), StartsWith("a: 'on' is not an integer"));
  EXPECT_THAT(eval_error_of("wide", {{"wide", std::int64_t{1}}}), StartsWith("wide: '1' is not"));
  EXPECT_THAT(eval_error_of("layout == split", {{"layout", Enum{"splot"}}}),
              StartsWith("layout: 'splot' is not one of its values (merged, split, 16)"));
  EXPECT_THAT(eval_error_of("layout == 16", {{"layout", std::int64_t{16}}}), StartsWith("layout:"));
  EXPECT_THROW(parse("wide").eval_int(bindings()), EvalError);
  EXPECT_THROW(parse("a").eval_bool(bindings()), EvalError);
  EXPECT_EQ(parse("a").eval_int(bindings()), 12);
  EXPECT_TRUE(parse("!wide").eval_bool(bindings()));
}

TEST(ExprEval, OnlyTheNeededSideIsEvaluated) {
  const Bindings only_wide{{"wide", true}};
  EXPECT_TRUE(parse("wide || a / 0 == 1").eval_bool(only_wide));
  EXPECT_FALSE(parse("!wide && a / 0 == 1").eval_bool(only_wide));
  EXPECT_EQ(parse("wide ? 1 : a / 0").eval_int(only_wide), 1);
  EXPECT_EQ(parse("!wide ? a / 0 : 2").eval_int(only_wide), 2);
  EXPECT_THROW(parse("wide && a / 0 == 1").eval(only_wide), EvalError);
  EXPECT_THROW(parse("a / 0 == 1 || wide").eval(only_wide), EvalError);
}

TEST(ExprEnum, ValuesTakeTheTypeOfTheOtherSide) {
  const std::vector<std::pair<std::string, std::string>> values{
      {"layout == 16", "true"},
      {"16 == layout", "true"},
      {"layout != 16", "false"},
      {"layout == other_layout", "false"},
      {"zero_fill == default", "true"},
      {"(wide ? merged : 16) == layout", "true"},
      {"layout == (wide ? 16 : split)", "false"},
      {"(wide ? merged : layout) == 16", "true"},
      {"(has(residual) ? wide ? split : merged : layout) == merged", "true"},
      {"layout::16 == layout", "true"},
      {"layout::merged == split", "false"},
      {"wide ? layout : split", "split"}};
  for (const auto& [text, value] : values)
    EXPECT_EQ(to_string(parse(text).eval(bindings())), value) << text;
}

TEST(ExprEnum, AValueWinsOverANameOfAnotherType) {
  SymbolTable symbols = test::table();
  symbols["split"] = SymbolType{};
  symbols["mode"] = {Type::enumeration, "mode", {"layout", "zero_fill"}};
  Bindings values = bindings();
  values["split"] = std::int64_t{1};
  values["layout"] = Enum{"split"};
  values["mode"] = Enum{"layout"};
  EXPECT_TRUE(Expr::parse("layout == split && split == 1", symbols).eval_bool(values));
  EXPECT_TRUE(Expr::parse("mode == layout", symbols).eval_bool(values));
  EXPECT_TRUE(Expr::parse("layout == mode", symbols).eval_bool(values));
  symbols["merged"] = symbols["layout"];
  EXPECT_THROW(Expr::parse("layout == merged", symbols), UserError) << "ambiguous";
  EXPECT_EQ(Expr::parse("layout == layout::merged", symbols).names().size(), 1U);
}

TEST(ExprNames, PropertiesAreOneName) {
  EXPECT_THAT(parse("a + bytes(act) * max(a, tokens)").names(),
              ElementsAre("a", "bytes(act)", "tokens"));
  EXPECT_THAT(parse("layout == split").names(), ElementsAre("layout"));
  EXPECT_TRUE(Expr::constant(3).names().empty());
}

TEST(ExprSubstitute, ValuesFoldWhereNothingIsLost) {
  const Bindings some{{"a", std::int64_t{12}}, {"wide", false}, {"layout", Enum{"split"}}};
  const std::vector<std::pair<std::string, std::string>> results{
      {"a * 2 + tokens", "24 + tokens"},
      {"a / 5 + tokens", "12 / 5 + tokens"},
      {"wide && tokens / 0 == 1", "false"},
      {"tokens / 0 == 1 && wide", "tokens / 0 == 1 && false"},
      {"tokens == 1 && !wide", "tokens == 1"},
      {"wide || tokens == 1", "tokens == 1"},
      {"wide ? tokens / 0 : b", "b"},
      {"layout == split ? tokens : b", "tokens"},
      {"other_layout == layout", "other_layout == split"},
      {"-a - b", "-12 - b"},
      {"b - -a", "b - -12"},
      {"wide", "false"},
      {"has(residual) ? layout : merged", "has(residual) ? layout::split : merged"}};
  for (const auto& [text, result] : results) EXPECT_EQ(parse(text).substitute(some).text(), result);
  EXPECT_THAT(parse("a + b").substitute(some).names(), ElementsAre("b"));
  EXPECT_THROW(parse("a + 1").substitute(Bindings{{"a", true}}), EvalError);
}

TEST(ExprSubstitute, DefinitionsKeepTheTree) {
  const std::map<std::string, Expr> definitions{
      {"a", parse("tokens + 1")}, {"wide", parse("b < 0")}, {"new", parse("-4")}};
  EXPECT_EQ(parse("a * b").substitute(definitions), parse("(tokens + 1) * b"));
  EXPECT_EQ(parse("!wide").substitute(definitions), parse("!(b < 0)"));
  EXPECT_EQ(parse("-new").substitute(definitions), parse("4"));
  EXPECT_THAT(parse("a * b").substitute(definitions).names(), ElementsAre("b", "tokens"));
  EXPECT_THROW(parse("a + 1").substitute({{"a", parse("wide")}}), EvalError);
}

TEST(ExprText, HasMinimalParentheses) {
  const std::vector<std::pair<std::string, std::string>> texts{
      {"((a)+((b)*(a)))", "a + b * a"},
      {"(a+b)*a", "(a + b) * a"},
      {"a-(b-a)", "a - (b - a)"},
      {"(a-b)-a", "a - b - a"},
      {"a*(b/a)", "a * (b / a)"},
      {"-(a+b)", "-(a + b)"},
      {"-(-(a))", "--a"},
      {"-(5)", "-5"},
      {"!(wide&&wide)", "!(wide && wide)"},
      {"(wide||wide)&&wide", "(wide || wide) && wide"},
      {"(wide?a:b)+1", "(wide ? a : b) + 1"},
      {"(wide?wide:wide)?a:(wide?a:b)", "(wide ? wide : wide) ? a : wide ? a : b"},
      {"(a<b)==(b<a)", "a < b == b < a"},
      {"min(a,(b))", "min(a, b)"},
      {"bytes( act )", "bytes(act)"},
      {"layout::split==layout", "split == layout"},
      {"layout::split==layout::16", "layout::split == 16"}};
  for (const auto& [text, canonical] : texts) EXPECT_EQ(parse(text).text(), canonical);
  EXPECT_EQ(Expr().text(), "0");
  EXPECT_EQ(Expr::constant(-7).text(), "-7");
}

TEST(ExprText, ReadsBackAsTheSameTree) {
  test::RandomText random(20240607);
  const SymbolTable symbols = test::table();
  Bindings some = bindings();
  for (const char* left : {"a", "layout", "has(residual)"}) some.erase(left);
  int evaluated = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::string source = random.next();
    const Expr expr = Expr::parse(source, symbols);
    EXPECT_EQ(Expr::parse(expr.text(), symbols), expr) << source << "\n" << expr.text();
    const Expr partial = expr.substitute(some);
    EXPECT_EQ(Expr::parse(partial.text(), symbols), partial) << source << "\n" << partial.text();
    const std::string expected = test::outcome(expr, bindings());
    EXPECT_EQ(test::outcome(partial, bindings()), expected) << source << "\n" << partial.text();
    if (expected != "fails") ++evaluated;
  }
  EXPECT_GT(evaluated, 1000) << "most of the random expressions fail, so little was compared";
}

TEST(ExprJson, IsATree) {
  const std::vector<std::pair<std::string, std::string>> trees{
      {"min(a, 2) + bytes(act)",
       R"({"op": "add", "args": [{"op": "min", "args": [{"name": "a"}, {"int": 2}]},)"
       R"json( {"name": "bytes(act)"}]})json"},
      {"layout == split || !true",
       R"({"op": "or", "args": [{"op": "eq", "args": [{"name": "layout"}, {"enum": "split"}]},)"
       R"( {"op": "not", "args": [{"bool": true}]}]})"},
      {"wide ? -a : a % 3",
       R"({"op": "select", "args": [{"name": "wide"}, {"op": "neg", "args": [{"name": "a"}]},)"
       R"( {"op": "mod", "args": [{"name": "a"}, {"int": 3}]}]})"}};
  for (const auto& [text, json] : trees) EXPECT_EQ(parse(text).json(), Json::parse(json)) << text;
}

}  // namespace
}  // namespace fusetune

// The C++ and Python that expressions are printed as, against eval().

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/files.hpp"
#include "harness/base/temporary_folder.hpp"
#include "tests/spec/expr_fixture.hpp"

namespace fusetune {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// A folder of its own, where programs are compiled and run.
class Workspace {
 public:
  /// Runs `command` on a file of that content; the exit status, and its output in output().
  int run(const std::string& command, const std::string& file, const std::string& content) {
    write_file_atomic(folder_ / file, content);
    const std::string line = command + " '" + (folder_ / file).string() + "' > '" +
                             (folder_ / "output").string() + "' 2>&1";
    return std::system(line.c_str());
  }
  std::string output() const { return read_file(folder_ / "output"); }

 private:
  TemporaryFolder folder_{"fusetune-expr"};
};

bool has_command(const std::string& name) {
  return std::system(("command -v " + name + " > /dev/null 2>&1").c_str()) == 0;
}

const std::vector<std::string>& chosen_texts() {
  static const std::vector<std::string> texts{
      "65536 * 65536 * 3",
      "(wide ? 65536 : 2147483647) * 65536",
      "-(-a) - -b - -3",
      "-(-2147483648 - 1)",
      "-9223372036854775808 + 1",
      "b % 3 + floor_div(b, 2) * ceil_div(b, 2)",
      "align_up(ceil_div(tokens + 1, 3) * a, 64)",
      "min(a, b, new, 4) + max(a, b, new, tokens, 5) * gcd(a, 8, 6)",
      "a / 4 / 3 * (a / (4 * 3))",
      "a - (b - (a + b)) * -(a - 1)",
      "wide || a == 12 && b < 0",
      "(wide || a == 12) && b < 0",
      "(wide == (a < b)) == (b == a)",
      "a < b == wide",
      "!(a == b) && !wide",
      "!wide == has(residual)",
      "layout == 16 && zero_fill != off",
      "(wide ? layout : other_layout) == merged",
      "zero_fill == default ? new : a / 0",
      "(wide ? a / 0 : new) + bytes(act) * align_bytes(x)",
      "is_pow2(tokens) && !is_pow2(tokens + a) && !is_pow2(0)",
      "abs(b) + abs(a)",
      "has(residual) ? wide ? 1 : 2 : 3",
      "(has(residual) ? 1 : 2) + (wide ? 3 : 4)",
      "true && !false"};
  return texts;
}

struct Checked {
  Expr expr;
  Value value;
};

/// The chosen expressions and random ones that have a value.
std::vector<Checked> checked_expressions() {
  std::vector<Checked> all;
  for (const std::string& text : chosen_texts()) {
    const Expr expr = test::parse(text);
    all.push_back({expr, expr.eval(test::bindings())});
  }
  test::RandomText random(7);
  while (all.size() < 300) {
    const Expr expr = test::parse(random.next());
    try {
      all.push_back({expr, expr.eval(test::bindings())});
    } catch (const EvalError&) {
    }
  }
  return all;
}

std::string cpp_prelude() {
  return "#include <cstdint>\n#include <cstdlib>\nnamespace expressions {\n" +
         std::string(cpp_support()) +
         "}\n"
         "enum class layout { merged, split, _16 };\n"
         "enum class zero_fill { off, on, default_ };\n";
}

/// A constexpr function of all names that returns the expression, and its result for bindings().
std::string cpp_check(const Checked& checked, std::size_t index) {
  const bool boolean = std::holds_alternative<bool>(checked.value);
  std::string value = to_string(checked.value);
  if (!boolean) value = Expr::constant(std::get<std::int64_t>(checked.value)).cpp("");
  const std::string name = "f" + std::to_string(index);
  return std::string("constexpr ") + (boolean ? "bool " : "std::int64_t ") + name +
         "([[maybe_unused]] std::int64_t a, [[maybe_unused]] std::int64_t b,\n"
         "[[maybe_unused]] std::int64_t tokens, [[maybe_unused]] std::int64_t new_,\n"
         "[[maybe_unused]] std::int64_t bytes_act, [[maybe_unused]] std::int64_t bytes_ba,\n"
         "[[maybe_unused]] std::int64_t align_bytes_x, [[maybe_unused]] bool has_residual,\n"
         "[[maybe_unused]] bool wide, [[maybe_unused]] layout layout,\n"
         "[[maybe_unused]] enum layout other_layout, [[maybe_unused]] zero_fill zero_fill) {\n"
         "  return " +
         checked.expr.cpp("expressions::") + ";\n}\nstatic_assert(" + name +
         "(12, -5, 4096, 3, 2, 4, 16, true, false, layout::_16, layout::merged, "
         "zero_fill::default_) == " +
         value + ");\n";
}

constexpr const char* compiler = "g++ -std=c++17 -fsyntax-only -Wall -Wextra -Wpedantic -Werror";

TEST(ExprCpp, CompilesCleanlyAndAgreesWithEval) {
  if (!has_command("g++")) GTEST_SKIP() << "no g++ to compile the printed C++ with";
  std::string source = cpp_prelude();
  const std::vector<Checked> all = checked_expressions();
  for (std::size_t i = 0; i < all.size(); ++i) {
    // Random expressions compare things with themselves and overflow in branches not taken.
    if (i == chosen_texts().size())
      source +=
          "#pragma GCC diagnostic ignored \"-Wtautological-compare\"\n"
          "#pragma GCC diagnostic ignored \"-Woverflow\"\n";
    source += cpp_check(all[i], i);
  }
  Workspace workspace;
  EXPECT_EQ(workspace.run(compiler, "check.cpp", source), 0) << workspace.output();
}

TEST(ExprCpp, FailuresDoNotCompileAsConstants) {
  if (!has_command("g++")) GTEST_SKIP() << "no g++ to compile the printed C++ with";
  Workspace workspace;
  for (const char* text : {"7 / 2", "7 / 0", "7 % 0", "ceil_div(7, 0)", "floor_div(7, -1)",
                           "align_up(9223372036854775807, 2)", "4294967296 * 4294967296"}) {
    const std::string source =
        cpp_prelude() + "constexpr std::int64_t x = " + test::parse(text).cpp("expressions::") +
        ";";
    EXPECT_NE(workspace.run(compiler, "check.cpp", source), 0) << text;
    EXPECT_THAT(workspace.output(), ::testing::AnyOf(HasSubstr("fail()"), HasSubstr("overflow")));
  }
}

TEST(ExprCpp, IsReadable) {
  EXPECT_EQ(test::parse("ceil_div(tokens, a) * bytes(act)").cpp("e::"),
            "e::ceil_div(tokens, a) * bytes_act");
  EXPECT_EQ(test::parse("wide && (a < b || layout == 16)").cpp("e::"),
            "wide && (a < b || layout == layout::_16)");
  EXPECT_EQ(test::parse("a / b % 3").cpp("e::"), "e::mod(e::exact_div(a, b), 3)");
}

TEST(ExprCpp, IdentifiersAreValid) {
  EXPECT_EQ(cpp_identifier("align_bytes(x)"), "align_bytes_x");
  EXPECT_EQ(cpp_identifier("16"), "_16");
  EXPECT_EQ(cpp_identifier("new"), "new_");
  EXPECT_EQ(cpp_identifier("default"), "default_");
  EXPECT_EQ(cpp_identifier("reinterpret_cast"), "reinterpret_cast_");
  EXPECT_EQ(cpp_identifier("qwen3.5-27b"), "qwen3_5_27b");
  EXPECT_EQ(cpp_identifier("CU_COUNT"), "CU_COUNT");
  EXPECT_EQ(cpp_identifier(""), "_");
  EXPECT_EQ(python_identifier("lambda"), "lambda_");
  EXPECT_EQ(python_identifier("min"), "min_");
  EXPECT_EQ(python_identifier("new"), "new");
}

TEST(ExprPython, AgreesWithEval) {
  if (!has_command("python3")) GTEST_SKIP() << "no python3 to run the printed Python with";
  std::string script = "import math\n";
  for (const auto& [name, value] : test::bindings()) {
    const auto* word = std::get_if<Enum>(&value);
    const auto* boolean = std::get_if<bool>(&value);
    script += python_identifier(name) + " = " +
              (word      ? "'" + word->name + "'"
               : boolean ? (*boolean ? "True" : "False")
                         : to_string(value)) +
              "\n";
  }
  std::string expected;
  for (const Checked& checked : checked_expressions()) {
    script += "print(str(" + checked.expr.python() + ").lower())\n";
    expected += to_string(checked.value) + "\n";
  }
  Workspace workspace;
  ASSERT_EQ(workspace.run("python3", "check.py", script), 0) << workspace.output();
  EXPECT_EQ(workspace.output(), expected);
}

}  // namespace
}  // namespace fusetune

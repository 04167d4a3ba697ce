// What a kernel may use of the process that it is loaded into.
#include "harness/compile/host_imports.hpp"

#include <gmock/gmock.h>

#include "harness/compile/elf_image.hpp"
#include "tests/device/support.hpp"

namespace fusetune::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// A kernel that assigns `expression` to its output, after `declarations`.
CompileResult compile(const std::string& declarations, const std::string& expression,
                      bool exact = false) {
  CompileRequest request =
      request_for("#include \"ft.h\"\n" + declarations +
                      "\nFT_KERNEL(64) void use(float* out) { *out = " + expression + "; }\n",
                  {"use"}, 64);
  request.exact = exact;
  return host_compiler().compile(request);
}

TEST(HostImports, MathematicsIsThere) {
  for (const char* expression :
       {"expf(*out)", "powf(*out, 2.5f)", "tanhf(*out)", "fmaf(*out, 2, 3)"})
    EXPECT_TRUE(compile("", expression).outcome.ok()) << expression;
  EXPECT_TRUE(compile("extern \"C\" double erfc(double);", "erfc(*out)").outcome.ok());
}

TEST(HostImports, TheRestOfTheLibraryIsRefusedByName) {
  for (const char* name : {"system", "socket", "malloc", "syscall"}) {
    const CompileResult result =
        compile(std::string("extern \"C\" long ") + name + "(...);", std::string(name) + "(1)");
    EXPECT_EQ(result.outcome.status, Status::compile_error);
    EXPECT_THAT(result.outcome.message,
                AllOf(HasSubstr("'" + std::string(name) + "'"), HasSubstr("mathematics")));
  }
  // Nor data of it.
  EXPECT_THAT(compile("extern \"C\" char** environ;", "environ[0][0]").outcome.message,
              HasSubstr("'environ'"));
}

TEST(HostImports, NothingRunsOnLoading) {
  const std::string message = "runs when it is loaded";
  const std::string constructor =
      "static float state;\n__attribute__((constructor)) static void early() { state = 1; }";
  const std::string global =
      "extern \"C\" float sinf(float);\nstatic volatile float one = 1;\n"
      "static float state = sinf(one);";
  const std::string destructor =
      "static float state;\n__attribute__((destructor)) static void late() { state = 1; }";
  for (const std::string& source : {constructor, global, destructor})
    for (const bool exact : {false, true})
      EXPECT_THAT(compile(source, "state", exact).outcome.message, HasSubstr(message)) << source;
  for (const bool exact : {false, true})
    EXPECT_TRUE(compile("static float state = 2;", "state", exact).outcome.ok());
}

TEST(HostImports, DamagedFilesAreRefused) {
  EXPECT_THAT(load_problem("no file of any kind"), HasSubstr("damaged"));
}

}  // namespace
}  // namespace fusetune::testing

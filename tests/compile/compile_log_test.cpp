#include "harness/compile/compile_log.hpp"

#include <gtest/gtest.h>

namespace fusetune {
namespace {

TEST(CompileLog, TheFirstErrorLineIsTheMessage) {
  const Outcome outcome = outcome_of_failed_compile(
      "k.hip:2:1: warning: unused\nk.hip:6:9: error: use of undeclared identifier 'nn'\r\n  if "
      "(i<nn)\n"
      "k.hip:7:1: error: another\n");
  EXPECT_EQ(outcome.status, Status::compile_error);
  EXPECT_EQ(outcome.message, "k.hip:6:9: error: use of undeclared identifier 'nn'");
}

TEST(CompileLog, LimitsOfTheTargetAreNoErrorsOfTheSource) {
  for (const char* line :
       {"error: local memory (80000) exceeds limit (65536) in function 'foo'",
        "<unknown>:0:0: error: local memory (70000) exceeds limit (65536) in function 'foo'",
        "error: ran out of registers during register allocation",
        "ptxas error   : Entry function 'foo' uses too much shared data (0x19000 bytes)"})
    EXPECT_EQ(outcome_of_failed_compile(line).status, Status::resource_limit) << line;
  EXPECT_EQ(outcome_of_failed_compile("ptxas info    : 0 bytes gmem\n"
                                      "ptxas error   : Entry function 'foo' uses too much shared "
                                      "data (0x19000 bytes)\n")
                .status,
            Status::resource_limit);
  EXPECT_EQ(outcome_of_failed_compile("k.hip:1:1: error: local memory is fine").status,
            Status::compile_error);
}

TEST(CompileLog, SomethingIsSaidWhenTheCompilerSaidNothing) {
  EXPECT_EQ(first_error_line("\n\nwhat\n"), "what");
  EXPECT_FALSE(first_error_line("").empty());
}

}  // namespace
}  // namespace fusetune

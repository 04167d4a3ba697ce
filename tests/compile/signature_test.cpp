#include "harness/compile/signature.hpp"

#include <gmock/gmock.h>

#include "harness/compile/compiler.hpp"
#include "support.hpp"

namespace fusetune {
namespace {

using Kind = Argument::Kind;
using test::toy_family;

const std::vector<Argument> kArguments{{Kind::tensor, "x"},      {Kind::row_stride, "x"},
                                       {Kind::tensor, "y"},      {Kind::tensor, "cache"},
                                       {Kind::symbol, "tokens"}, {Kind::scalar, "eps"},
                                       {Kind::scalar, "count"},  {Kind::scalar, "seed"}};

/// Compiles a kernel with this parameter list and the generated check.
ProcessResult compile(const std::string& parameters) {
  const TemporaryFolder folder("fusetune");
  return test::run_gxx(folder.path(),
                       "extern \"C\" void foo(" + parameters + ") {}\n" +
                           signature_check(toy_family(), {"foo"}, {kArguments}),
                       {"-fsyntax-only"});
}

TEST(SignatureCheck, AcceptsTheDeclaredList) {
  const ProcessResult result = compile(
      "const void* x, long long x_row_stride, void* y, void* cache, long long tokens, float eps, "
      "int count, long long seed");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  const ProcessResult qualified = compile(
      "const void* __restrict x, const long long s, void* __restrict y, void* c, long long t, "
      "const float e, int n, long long d");
  EXPECT_EQ(qualified.exit_code, 0) << qualified.output;
}

TEST(SignatureCheck, RefusesEveryOtherList) {
  for (const char* parameters : {
           "",
           // Missing, swapped, additional.
           "const void*, long long, void*, void*, long long, float, int",
           "const void*, long long, void*, void*, float, long long, int, long long",
           "const void*, long long, void*, void*, long long, float, int, long long, int",
           // Other types, several of the same size.
           "void*, long long, void*, void*, long long, float, int, long long",
           "const void*, long long, const void*, void*, long long, float, int, long long",
           "const void*, long long, void*, const void*, long long, float, int, long long",
           "const void*, int, void*, void*, long long, float, int, long long",
           "const void*, long long, void*, void*, unsigned long long, float, int, long long",
           "const void*, long long, void*, void*, long long, double, int, long long",
           "const void*, long long, void*, void*, long long, float, float, long long",
           "const int*, long long, void*, void*, long long, float, int, long long",
       }) {
    const ProcessResult result = compile(parameters);
    EXPECT_NE(result.exit_code, 0) << parameters;
    EXPECT_THAT(result.output, testing::HasSubstr("entry foo: parameter list differs from "
                                                  "family.yaml"))
        << parameters;
    EXPECT_THAT(result.output, testing::HasSubstr("toy/family.yaml:12:")) << parameters;
  }
}

TEST(SignatureCheck, RefusesAnEntryThatIsNotThere) {
  const TemporaryFolder folder("fusetune");
  const ProcessResult result = test::run_gxx(
      folder.path(), signature_check(toy_family(), {"foo"}, {kArguments}), {"-fsyntax-only"});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.output, testing::HasSubstr("foo"));
}

TEST(Signature, LaysOutArgumentsAsTheAbiDoes) {
  const auto bytes = [](const std::vector<Argument>& arguments) {
    return kernarg_bytes_of(parameters_of(toy_family(), arguments));
  };
  EXPECT_EQ(bytes({}), 0);
  EXPECT_EQ(bytes(kArguments), 56);                                    // 5*8 + 4 + 4 + 8
  EXPECT_EQ(bytes({{Kind::scalar, "eps"}}), 4);                        // no tail padding
  EXPECT_EQ(bytes({{Kind::scalar, "eps"}, {Kind::tensor, "x"}}), 16);  // 4 bytes skipped
  EXPECT_EQ(bytes({{Kind::tensor, "x"}, {Kind::scalar, "count"}}), 12);
}

TEST(Signature, SaysTheListInFull) {
  EXPECT_EQ(to_string(parameters_of(toy_family(), {kArguments[0], kArguments[1], kArguments[5]})),
            "const void* x, long long x_row_stride, float eps");
  EXPECT_THROW(parameters_of(toy_family(), {{Kind::tensor, "nothing"}}), std::logic_error);
}

}  // namespace
}  // namespace fusetune

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

#include "support.hpp"

namespace fusetune::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kKernel = R"(#include "ft.h"
FT_KERNEL(64) void scale(float* out, float by) {
  out[threadIdx.x] *= by + FT_ADD;
}
)";

CompileResult compile(const std::string& source, const std::string& entry,
                      const std::string& add = "1") {
  return host_compiler().compile(request_for(source, {entry}, 64, {{"FT_ADD", add}}));
}

TEST(HostCompiler, SaysWhatItIs) {
  EXPECT_THAT(host_compiler().identity(), HasSubstr("host device "));
  EXPECT_TRUE(host_compiler().handles(parse_target("host-w32")));
  EXPECT_FALSE(host_compiler().handles(parse_target("gfx90a")));
}

TEST(HostCompiler, GivesTheFactsOfACodeObject) {
  const CompileResult result = compile(kKernel, "scale");
  ASSERT_TRUE(result.outcome.ok()) << result.log;
  ASSERT_EQ(result.facts.kernels.size(), 1u);
  EXPECT_EQ(result.facts.kernels[0].entry, "scale");
  EXPECT_EQ(result.facts.kernels[0].needs_fibres, false);
  EXPECT_EQ(result.facts.kernels[0].wave_size, 64);
  EXPECT_GT(result.facts.kernels[0].code_bytes.value_or(0), 16);
  EXPECT_EQ(result.facts.file_bytes, static_cast<std::int64_t>(result.code.size()));
  EXPECT_GT(result.compile_ms, 0);
}

TEST(HostCompiler, OneSourceHasOneIdentityWhereverItIsCompiled) {
  const std::string before = std::getenv("TMPDIR") != nullptr ? std::getenv("TMPDIR") : "";
  const CompileResult first = compile(kKernel, "scale");
  const auto folder = std::filesystem::path(::testing::TempDir()) / "fusetune another folder";
  std::filesystem::create_directories(folder);
  ::setenv("TMPDIR", folder.c_str(), 1);
  const CompileResult second = compile(kKernel, "scale");
  EXPECT_TRUE(std::filesystem::is_empty(folder)) << "nothing stays behind";
  EXPECT_FALSE(compile("nonsense", "scale").outcome.ok());
  EXPECT_TRUE(std::filesystem::is_empty(folder)) << "nor after an error";
  before.empty() ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", before.c_str(), 1);
  std::filesystem::remove_all(folder);

  ASSERT_TRUE(second.outcome.ok()) << second.log;
  EXPECT_EQ(second.code, first.code);
  EXPECT_EQ(second.code_identity, first.code_identity);
  EXPECT_FALSE(first.code_identity.empty());
  EXPECT_NE(compile(kKernel, "scale", "2").code_identity, first.code_identity);
}

TEST(HostCompiler, ReportsTheFirstErrorWithTheUsersNames) {
  const CompileResult typo = compile(R"(#include "ft.h"
FT_KERNEL(64) void scale(float* out) {
  out[threadIdx.x] = nothing;
}
)",
                                     "scale");
  EXPECT_EQ(typo.outcome.status, Status::compile_error);
  EXPECT_THAT(typo.outcome.message, StartsWith("test.hip:3:"));
  EXPECT_THAT(typo.outcome.message, HasSubstr("nothing"));
  EXPECT_TRUE(typo.code.empty());
  const CompileResult entry = compile(kKernel, "scales");
  EXPECT_EQ(entry.outcome.status, Status::compile_error);
  EXPECT_THAT(entry.outcome.message, HasSubstr("scales"));
}

TEST(HostCompiler, RefusesWhatGpuCompilersDoNotHave) {
  EXPECT_EQ(compile("#include <vector>\n" + std::string(kKernel), "scale").outcome.status,
            Status::compile_error);
  const CompileResult library = compile(R"(#include "ft.h"
extern "C" float not_in_any_library(float);
FT_KERNEL(64) void scale(float* out) { *out = not_in_any_library(*out); }
)",
                                        "scale");
  EXPECT_EQ(library.outcome.status, Status::compile_error);
  EXPECT_THAT(library.outcome.message, HasSubstr("not_in_any_library"));
  CompileRequest outside = request_for(kKernel, {"scale"}, 64);
  outside.headers.push_back({"../escaped.h", ""});
  EXPECT_EQ(host_compiler().compile(outside).outcome.status, Status::compile_error);
}

TEST(HostCompiler, WithoutACompilerIsAnOutcome) {
  const char* before = std::getenv("CXX");
  const std::string kept = before != nullptr ? before : "";
  ::setenv("CXX", "/nonexistent/g++", 1);
  const auto compiler = make_host_compiler();
  before != nullptr ? ::setenv("CXX", kept.c_str(), 1) : ::unsetenv("CXX");
  const CompileResult result = compiler->compile(request_for(kKernel, {"scale"}, 64));
  EXPECT_EQ(result.outcome.status, Status::unsupported_target);
  EXPECT_THAT(result.outcome.message, HasSubstr("/nonexistent/g++"));
}

}  // namespace
}  // namespace fusetune::testing

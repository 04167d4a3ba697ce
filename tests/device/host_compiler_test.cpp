#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "harness/base/error.hpp"
#include "harness/base/temporary_folder.hpp"
#include "support.hpp"

namespace fusetune::testing {
namespace {

using ::testing::AllOf;
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
  const TemporaryFolder temporary("fusetune another");
  const std::filesystem::path& folder = temporary.path();
  ::setenv("TMPDIR", folder.c_str(), 1);
  const CompileResult second = compile(kKernel, "scale");
  EXPECT_TRUE(std::filesystem::is_empty(folder)) << "nothing stays behind";
  EXPECT_FALSE(compile("nonsense", "scale").outcome.ok());
  EXPECT_TRUE(std::filesystem::is_empty(folder)) << "nor after an error";
  before.empty() ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", before.c_str(), 1);

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

/// What compile() throws, "" when it returns.
std::string error_of(Compiler& compiler) {
  try {
    compiler.compile(request_for(kKernel, {"scale"}, 64, {{"FT_ADD", "1"}}));
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

/// An environment variable for as long as it lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

TEST(HostCompiler, AMissingCompilerIsNoFaultOfTheKernel) {
  const Variable missing("CXX", "/nonexistent/g++");
  EXPECT_THAT(error_of(*make_host_compiler()), HasSubstr("/nonexistent/g++"));
}

TEST(HostCompiler, ACompilerThatVanishesIsNoFaultOfTheKernel) {
  const TemporaryFolder folder("fusetune");
  const auto link = folder / "vanishing-g++";
  std::filesystem::create_symlink("/usr/bin/g++", link);
  const Variable chosen("CXX", link.string());
  const auto compiler = make_host_compiler();
  EXPECT_EQ(error_of(*compiler), "");
  std::filesystem::remove(link);
  EXPECT_THAT(error_of(*compiler), HasSubstr("vanishing-g++"));
}

TEST(HostCompiler, AnUnusableTemporaryFolderIsNoFaultOfTheKernel) {
  Compiler& compiler = host_compiler();
  {
    const Variable missing("TMPDIR", "/nonexistent/folder");
    EXPECT_THAT(error_of(compiler),
                AllOf(HasSubstr("/nonexistent/folder"), HasSubstr("No such file or directory")));
  }
  const Variable unwritable("TMPDIR", "/proc");  // even for root
  EXPECT_THAT(error_of(compiler), HasSubstr("in /proc: "));
}

TEST(HostCompiler, AFullDiskIsNoFaultOfTheKernel) {
  const TemporaryFolder folder("fusetune");
  const auto script = folder / "full-disk";
  std::ofstream(script) << "#!/bin/sh\n"
                           "[ \"$1\" = --version ] && echo 'g++ (a test) 1' && exit 0\n"
                           "echo 'fatal error: error writing to x.s: No space left on device'\n"
                           "exit 1\n";
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  const Variable chosen("CXX", script.string());
  EXPECT_THAT(error_of(*make_host_compiler()), HasSubstr("No space left on device"));
}

}  // namespace
}  // namespace fusetune::testing

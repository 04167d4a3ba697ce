#include "harness/device/line_finder.hpp"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exception>
#include <filesystem>
#include <fstream>

#include "harness/base/temporary_folder.hpp"
#include "tests/device/support.hpp"

namespace fusetune::testing {
namespace {

using ::testing::HasSubstr;

/// A compiled kernel in a file, and an offset in its code.
struct Code {
  TemporaryFolder folder{"fusetune-lines"};
  std::string path = folder / "code.so";
  std::int64_t offset = 0;

  Code() {
    const CompileResult result = host_compiler().compile(request_for(
        "#include \"ft.h\"\n\nFT_KERNEL(64) void one(float* out) { *out = 1; }\n", {"one"}, 64));
    std::ofstream(path, std::ios::binary) << result.code;
    void* const library = ::dlopen(path.c_str(), RTLD_NOW);
    void* const function = ::dlsym(library, "ft_host_run_one");
    Dl_info info{};
    ::dladdr(function, &info);
    offset = static_cast<char*>(function) - static_cast<char*>(info.dli_fbase);
    ::dlclose(library);
  }
};

bool works_alone(const Code& code) {
  try {
    return !make_line_finder()->frames(code.path, code.offset).empty();
  } catch (const std::exception&) {
    return false;
  }
}

TEST(LineFinder, HelperAnswersAsADirectOneDoes) {
  const Code code;
  const std::string direct = make_line_finder()->frames(code.path, code.offset);
  EXPECT_THAT(direct, HasSubstr(":"));
  const auto helper = start_line_helper();
  EXPECT_EQ(helper->frames(code.path, code.offset), direct);
  EXPECT_EQ(helper->frames("/no/such/file", 1), "");
  EXPECT_EQ(helper->frames(code.path, code.offset), direct) << "it goes on";
}

TEST(LineFinder, HelperNeedsNothingOfItsOwner) {
  const Code code;
  const pid_t pid = ::fork();
  if (pid == 0) {
    const auto helper = start_line_helper();
    // From here on this process can open no file and make no pipe, so it starts no program.
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_NOFILE, &none);
    ::_exit(helper->frames(code.path, code.offset).empty() || works_alone(code) ? 1 : 0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace fusetune::testing

#pragma once
// Folders, compilers and toy families for the tests of this stage.

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/temporary_folder.hpp"
#include "harness/compile/compiler.hpp"
#include "harness/process/subprocess.hpp"
#include "harness/spec/geometry.hpp"

namespace fusetune::test {

/// All regular files below a folder.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder);

/// Runs g++ in a folder on a source of this text; the process's result.
ProcessResult run_gxx(const std::filesystem::path& folder, std::string_view source,
                      const std::vector<std::string>& flags);

/// The bytes of a shared library made of this text in a folder of the given name.
std::string shared_library(std::string_view source, const std::string& folder_name = "a");

/// Tensors x (in), y (out), cache (inout); scalars eps (f32), count (i32), seed (i64); entry `foo`
/// launched at line 12 of its family.yaml.
Family toy_family();

/// A case of the shipped split_reshape_cat, interleaved, two k heads, and variants for it.
inline const Enum kOn{"on"}, kOff{"off"};
Case split_case(const Enum& zero_fill = kOff, std::int64_t tokens = 5);
Variant fused(std::int64_t block_size = 256);
Variant unfused();

/// A kernel for run-time compilers that copies 16 bytes per thread by way of shared memory, and the
/// request that compiles it; its entry is `foo`.
inline constexpr const char* kKernel =
    "#include \"ft.h\"\n"
    "extern \"C\" __global__ void foo(const void* __restrict__ x, void* __restrict__ y,\n"
    "                               long long tokens) {\n"
    "  __shared__ int order[FT_BLOCK_SIZE];\n"
    "  order[threadIdx.x] = blockIdx.x * FT_BLOCK_SIZE + threadIdx.x;\n"
    "  __syncthreads();\n"
    "  const int i = order[threadIdx.x ^ 1];\n"
    "  if (i < tokens) ((chunk*)y)[i] = ((const chunk*)x)[i];\n"
    "}\n";
CompileRequest toy_request(const std::string& kernel = kKernel,
                           const std::string& target = "gfx90a");

/// A test of a platform's module; skipped where it is not built.
class ModuleTest : public testing::Test {
 protected:
  ModuleTest(Platform platform, std::string target)
      : platform_(platform), target_(std::move(target)) {}
  void SetUp() override;
  CompileResult compile(const std::string& kernel) {
    return compiler_->compile(toy_request(kernel, target_));
  }

  std::unique_ptr<Compiler> compiler_;

 private:
  Platform platform_;
  std::string target_;
};

/// The text with its first `from` replaced; a failure of the test where it has none.
std::string replaced(std::string text, const std::string& from, const std::string& to);

}  // namespace fusetune::test

#include <gmock/gmock.h>

#include "harness/compile/compiler.hpp"
#include "support.hpp"

namespace fusetune {
namespace {

using test::kKernel;
using test::replaced;
using test::toy_request;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class NvidiaModule : public test::ModuleTest {
 protected:
  NvidiaModule() : ModuleTest(Platform::nvidia, "sm_90") {}
};

TEST_F(NvidiaModule, SaysWhatItIs) {
  EXPECT_THAT(compiler_->identity(), testing::ContainsRegex("^NVRTC [0-9]+\\.[0-9]+, .*c..17"));
  EXPECT_TRUE(compiler_->handles(parse_target("sm_90")));
  EXPECT_FALSE(compiler_->handles(parse_target("gfx90a")));
}

TEST_F(NvidiaModule, CompilesAndReadsTheFacts) {
  const CompileResult result = compile(kKernel);
  ASSERT_TRUE(result.outcome.ok()) << result.log;
  EXPECT_EQ(result.code.substr(1, 3), "ELF");
  EXPECT_EQ(result.code_identity.size(), 32u);
  ASSERT_EQ(result.facts.kernels.size(), 1u);
  const KernelFacts& kernel = result.facts.kernels[0];
  EXPECT_EQ(kernel.entry, "foo");
  EXPECT_THAT(kernel.vgpr.value_or(0), testing::AllOf(testing::Gt(3), testing::Lt(33)));
  EXPECT_EQ(kernel.vgpr_spills, 0);
  EXPECT_EQ(kernel.scratch_bytes, 0);
  EXPECT_EQ(kernel.lds_bytes, 1024);
  EXPECT_EQ(kernel.kernarg_bytes, 24);
  EXPECT_EQ(kernel.wave_size, 32);
  EXPECT_GT(kernel.code_bytes.value_or(0), 100);
  EXPECT_THAT(kernel.global_loads, ElementsAre(Pair(16, 1)));
  EXPECT_THAT(kernel.global_stores, ElementsAre(Pair(16, 1)));
}

TEST_F(NvidiaModule, CountsNarrowAccessesAsSuch) {
  CompileRequest request = toy_request(kKernel, "sm_90");
  request.headers[0].text = "typedef unsigned short chunk;\n";
  const CompileResult narrow = compiler_->compile(request);
  ASSERT_TRUE(narrow.outcome.ok()) << narrow.log;
  EXPECT_THAT(narrow.facts.kernels[0].global_loads, ElementsAre(Pair(2, 1)));
  EXPECT_NE(narrow.code_identity, compile(kKernel).code_identity);
}

TEST_F(NvidiaModule, TheSameSourceHasTheSameIdentity) {
  CompileRequest elsewhere = toy_request(kKernel, "sm_90");
  elsewhere.source.name = "another/name.hip";
  EXPECT_EQ(compile(kKernel).code_identity, compiler_->compile(elsewhere).code_identity);
}

TEST_F(NvidiaModule, SharedMemoryAndConstantTablesCountInTheIdentity) {
  const auto with_table = [&](const char* last) {
    const std::string kernel =
        replaced(kKernel, "extern",
                 std::string("__device__ const int table[3] = {1, 2, ") + last + "};\nextern");
    return compile(replaced(kernel, "threadIdx.x ^ 1", "threadIdx.x ^ table[tokens % 3]"));
  };
  EXPECT_NE(with_table("3").code_identity, with_table("4").code_identity);
  EXPECT_NE(compile(kKernel).code_identity,
            compile(replaced(kKernel, "order[FT_BLOCK_SIZE]", "order[FT_BLOCK_SIZE + 64]"))
                .code_identity);
}

TEST_F(NvidiaModule, CompileErrorsNameTheUsersFile) {
  const CompileResult result = compile(replaced(kKernel, "i < tokens", "i < tokes"));
  EXPECT_EQ(result.outcome.status, Status::compile_error);
  EXPECT_THAT(result.outcome.message, testing::StartsWith("kernels/toy/toy.hip(8): error:"));
  EXPECT_THAT(result.outcome.message, HasSubstr("tokes"));
  EXPECT_TRUE(result.code.empty());
}

TEST_F(NvidiaModule, NothingOfCudasRuntimeIsReadAheadOfAKernel) {
  const CompileResult result =
      compile(replaced(kKernel, "extern", "cudaError_t of_the_runtime();\nextern"));
  EXPECT_EQ(result.outcome.status, Status::compile_error) << "each compilation reads its headers";
}

TEST_F(NvidiaModule, ComparesArgumentBytesWithTheCodeObject) {
  CompileRequest request = toy_request(kKernel, "sm_90");
  request.kernarg_bytes = {32};
  EXPECT_THAT(compiler_->compile(request).outcome.message,
              HasSubstr("24 bytes of arguments in the code object, 32"));
}

TEST_F(NvidiaModule, TooMuchSharedMemoryAndTooLargeABlockAreResourceLimits) {
  EXPECT_EQ(compile(replaced(kKernel, "order[FT_BLOCK_SIZE]", "order[FT_BLOCK_SIZE * 65]"))
                .outcome.status,
            Status::resource_limit);
  EXPECT_EQ(compile(replaced(kKernel, "__global__ void", "__global__ __launch_bounds__(128) void"))
                .outcome.status,
            Status::resource_limit);
}

TEST_F(NvidiaModule, SpillsShow) {
  const CompileResult result = compile(
      "extern \"C\" __global__ __launch_bounds__(1024) void foo(const void* x, void* y,\n"
      "                                                         long long tokens) {\n"
      "  float v[140];\n"
      "#pragma unroll\n"
      "  for (int i = 0; i < 140; ++i) v[i] = ((const float*)x)[i * tokens + threadIdx.x];\n"
      "  __syncthreads();\n"
      "#pragma unroll\n"
      "  for (int i = 0; i < 140; ++i) ((float*)y)[i * tokens] = v[i] * v[139 - i];\n"
      "}\n");
  ASSERT_TRUE(result.outcome.ok()) << result.log;
  const KernelFacts& facts = result.facts.kernels[0];
  EXPECT_GT(facts.vgpr_spills.value_or(0), 0);
  EXPECT_GT(facts.scratch_bytes.value_or(0), 0);
  EXPECT_THAT(facts.global_loads, ElementsAre(Pair(4, 140)))
      << "reloads of spilled registers are no global loads";
}

TEST_F(NvidiaModule, AnArchitectureThatTheCompilerDoesNotKnowIsAStatus) {
  const CompileResult result = compiler_->compile(toy_request(kKernel, "sm_30"));
  EXPECT_EQ(result.outcome.status, Status::unsupported_target);
  EXPECT_THAT(result.outcome.message, HasSubstr("sm_30"));
  EXPECT_TRUE(compile(kKernel).outcome.ok()) << "and costs nobody else anything";
}

}  // namespace
}  // namespace fusetune

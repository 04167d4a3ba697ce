#include <gmock/gmock.h>

#include "harness/compile/compiler.hpp"
#include "support.hpp"

namespace fusetune {
namespace {

using test::fused;
using test::kOn;
using test::split_case;
using test::unfused;

class ShippedKernels : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = compiler_unavailable(parse_target("gfx90a")); !why.empty())
      GTEST_SKIP() << why;
    std::string reason;
    compiler_ = load_compiler_module(Platform::amd, &reason);
    ASSERT_NE(compiler_, nullptr) << reason;
  }
  CompileResult compile(const Variant& variant, const char* target) {
    return compiler_->compile(
        make_compile_request(split_case(kOn).geometry, variant, parse_target(target)));
  }

  std::unique_ptr<Compiler> compiler_;
};

TEST_F(ShippedKernels, CompileForAmdWithSixteenByteAccessesAndNoSpills) {
  for (const char* target : {"gfx90a", "gfx1030"}) {
    const CompileResult result = compile(fused(), target);
    ASSERT_TRUE(result.outcome.ok()) << target << ": " << result.log;
    const KernelFacts& kernel = result.facts.kernels.at(0);
    EXPECT_EQ(kernel.entry, "split_reshape_cat");
    EXPECT_EQ(kernel.vgpr_spills, 0);
    EXPECT_EQ(kernel.scratch_bytes, 0);
    EXPECT_THAT(kernel.global_loads, testing::Contains(testing::Key(16))) << target;
    EXPECT_THAT(kernel.global_stores, testing::Contains(testing::Key(16))) << target;
  }
}

TEST_F(ShippedKernels, TheBaselineIsOneKernelPerOutput) {
  const CompileResult result = compile(unfused(), "gfx90a");
  ASSERT_TRUE(result.outcome.ok()) << result.log;
  std::vector<std::string> entries;
  for (const KernelFacts& kernel : result.facts.kernels) entries.push_back(kernel.entry);
  EXPECT_THAT(entries, testing::ElementsAre("copy_qkv", "copy_z", "copy_b", "copy_a", "zero_tail"));
}

}  // namespace
}  // namespace fusetune

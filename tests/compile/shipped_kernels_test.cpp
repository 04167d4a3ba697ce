// What the AMD compiler makes of the shipped kernels.
#include <gmock/gmock.h>

#include <algorithm>

#include "harness/compile/compiler.hpp"
#include "harness/spec/plan.hpp"
#include "support.hpp"

namespace fusetune {
namespace {

using test::fused;
using test::kOn;
using test::split_case;
using test::unfused;

constexpr int kVariants = 5;

class ShippedKernels : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = compiler_unavailable(parse_target("gfx90a")); !why.empty())
      GTEST_SKIP() << why;
    std::string reason;
    compiler_ = load_compiler_module(Platform::amd, &reason);
    ASSERT_NE(compiler_, nullptr) << reason;
  }
  CompileResult compile(const Geometry& geometry, const Variant& variant, const char* target) {
    return compiler_->compile(make_compile_request(geometry, variant, parse_target(target)));
  }

  std::unique_ptr<Compiler> compiler_;
};

bool has_wide(const std::vector<std::pair<std::int64_t, std::int64_t>>& accesses) {
  return std::any_of(accesses.begin(), accesses.end(),
                     [](const auto& access) { return access.first == 16; });
}

void expect_no_spills(const KernelFacts& kernel) {
  EXPECT_EQ(kernel.vgpr_spills, 0) << kernel.entry;
  EXPECT_EQ(kernel.sgpr_spills, 0) << kernel.entry;
  EXPECT_EQ(kernel.scratch_bytes, 0) << kernel.entry;
}

// Codes are narrower than what they are made of: some kernels of a variant store nothing else.
void expect_wide_accesses(const std::vector<KernelFacts>& kernels) {
  bool stores = false;
  for (const KernelFacts& kernel : kernels) {
    EXPECT_TRUE(has_wide(kernel.global_loads)) << kernel.entry;
    stores = stores || has_wide(kernel.global_stores);
  }
  EXPECT_TRUE(stores);
}

/// A few variants over the space of each implementation that has anything to compile.
std::vector<Variant> some_variants(const Geometry& geometry, const Target& target) {
  SweepEntry entry;
  entry.family = geometry.family;
  std::vector<Variant> variants;
  for (const ImplementationDecl& implementation : geometry.family->implementations) {
    if (implementation.launches.empty()) continue;
    std::vector<Pruned> pruned;
    for (const Variant& variant :
         enumerate_variants(geometry, implementation, target, entry,
                            {SpaceChoice::Kind::count, kVariants}, &pruned))
      variants.push_back(variant);
  }
  return variants;
}

class ShippedFamilies : public ShippedKernels, public testing::WithParamInterface<const char*> {};

TEST_P(ShippedFamilies, StayInRegistersAndUseTheWidthTheyClaim) {
  const Geometry geometry = parse_case_key(GetParam()).geometry;
  int tuned = 0, wide = 0;
  for (const Variant& variant : some_variants(geometry, parse_target("gfx90a"))) {
    SCOPED_TRACE(variant.key(*geometry.family));
    const CompileResult result = compile(geometry, variant, "gfx90a");
    ASSERT_TRUE(result.outcome.ok()) << result.log;
    for (const KernelFacts& kernel : result.facts.kernels) expect_no_spills(kernel);
    const auto bytes = variant.axes.find("vector_bytes");
    if (bytes == variant.axes.end()) continue;  // as a baseline
    ++tuned;
    if (bytes->second != Value(std::int64_t{16})) continue;
    ++wide;
    expect_wide_accesses(result.facts.kernels);
  }
  EXPECT_GE(tuned, kVariants);
  EXPECT_GE(wide, 1);
}

INSTANTIATE_TEST_SUITE_P(
    OneOfEach, ShippedFamilies,
    testing::Values(
        "split_reshape_cat(nk=2,nv=4,zero_fill=on,tokens=16)",
        "split_reshape_cat(layout=contiguous,nk=2,nv=6,tokens=16)",
        "rmsnorm_gated(heads=6,tokens=16)", "rmsnorm_gated(heads=6,quant=group,tokens=16)",
        "rmsnorm_gemma(residual=on,tokens=16,width=2048)",
        "rmsnorm_gemma(quant=per_token,tokens=16,width=2048)",
        "mrope(gate=on,head_dim=256,kv_heads=1,mrope=interleaved,q_heads=3,rotary_dim=64,tokens="
        "16)",
        "mrope(kv_heads=2,pairs=gptj,q_heads=4,tokens=16)",
        "qk_norm_rope_cache(gated=on,head_dim=256,hk=1,hq=3,mrope=interleaved,rotary_dim=64,"
        "tokens=16)",
        "qk_norm_rope_cache(cache=shuffle,head_dim=128,hk=1,hq=4,quant=per_token,tokens=16)",
        "qk_norm_rope_cache(cache=paged,head_dim=128,hk=1,hq=4,quant=per_page,tokens=16)",
        "gdn_weight_deinterleave(nk=2,ratio=2)", "gdn_weight_pack(nk=2,ratio=2)"));

TEST_F(ShippedKernels, GroupsOfValuesAreStoredBySixteenBytes) {
  const Geometry geometry =
      parse_case_key("qk_norm_rope_cache(cache=paged,hk=1,hq=4,tokens=16)").geometry;
  for (const std::string store : {"grouped", "scattered"}) {
    // Everything else is stored by 8.
    const Variant variant = parse_variant_key(
        *geometry.family, "block_size=256,persistent=off,row_lanes=16,rows_per_iter=1,v_store=" +
                              store + ",vector_bytes=8");
    const CompileResult result = compile(geometry, variant, "gfx90a");
    ASSERT_TRUE(result.outcome.ok()) << result.log;
    expect_no_spills(result.facts.kernels.at(0));
    EXPECT_EQ(has_wide(result.facts.kernels.at(0).global_stores), store == "grouped") << store;
  }
}

TEST_F(ShippedKernels, NeedNoWavesOf64) {
  const CompileResult result = compile(split_case(kOn).geometry, fused(), "gfx1030");
  ASSERT_TRUE(result.outcome.ok()) << result.log;
  const KernelFacts& kernel = result.facts.kernels.at(0);
  EXPECT_EQ(kernel.entry, "split_reshape_cat");
  expect_no_spills(kernel);
  expect_wide_accesses({kernel});
}

TEST_F(ShippedKernels, TheBaselineIsOneKernelPerOutput) {
  const CompileResult result = compile(split_case(kOn).geometry, unfused(), "gfx90a");
  ASSERT_TRUE(result.outcome.ok()) << result.log;
  std::vector<std::string> entries;
  for (const KernelFacts& kernel : result.facts.kernels) entries.push_back(kernel.entry);
  EXPECT_THAT(entries, testing::ElementsAre("copy_qkv", "copy_z", "copy_b", "copy_a", "zero_tail"));
}

}  // namespace
}  // namespace fusetune

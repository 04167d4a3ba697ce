#include <gtest/gtest.h>

#include "harness/compile/compiler.hpp"

namespace fusetune {
namespace {

KernelFacts full_facts() {
  KernelFacts facts;
  facts.entry = "foo";
  std::int64_t next = 1;
  for (auto* field :
       {&facts.vgpr, &facts.agpr, &facts.sgpr, &facts.vgpr_spills, &facts.sgpr_spills,
        &facts.scratch_bytes, &facts.lds_bytes, &facts.kernarg_bytes, &facts.code_bytes,
        &facts.wave_size, &facts.block_threads_max, &facts.occupancy_waves})
    *field = next++;
  facts.global_loads = {{2, 5}, {16, 3}};
  facts.global_stores = {{16, 4}};
  facts.needs_fibres = false;
  return facts;
}

TEST(Facts, SurviveJson) {
  const CodeFacts facts{{full_facts()}, 4711};
  const CodeFacts back = facts_from_json(Json::parse(to_json(facts).dump()));
  EXPECT_EQ(back.file_bytes, 4711);
  ASSERT_EQ(back.kernels.size(), 1u);
  const KernelFacts& kernel = back.kernels[0];
  EXPECT_EQ(kernel.entry, "foo");
  EXPECT_EQ(kernel.vgpr, 1);
  EXPECT_EQ(kernel.agpr, 2);
  EXPECT_EQ(kernel.sgpr, 3);
  EXPECT_EQ(kernel.vgpr_spills, 4);
  EXPECT_EQ(kernel.sgpr_spills, 5);
  EXPECT_EQ(kernel.scratch_bytes, 6);
  EXPECT_EQ(kernel.lds_bytes, 7);
  EXPECT_EQ(kernel.kernarg_bytes, 8);
  EXPECT_EQ(kernel.code_bytes, 9);
  EXPECT_EQ(kernel.wave_size, 10);
  EXPECT_EQ(kernel.block_threads_max, 11);
  EXPECT_EQ(kernel.occupancy_waves, 12);
  EXPECT_EQ(kernel.global_loads, full_facts().global_loads);
  EXPECT_EQ(kernel.global_stores, full_facts().global_stores);
  EXPECT_EQ(kernel.needs_fibres, false);
}

TEST(Facts, UnknownIsEmptyAndZeroIsZero) {
  KernelFacts some;
  some.entry = "foo";
  some.vgpr_spills = 0;
  const KernelFacts back = facts_from_json(to_json(CodeFacts{{some}, 0})).kernels.at(0);
  EXPECT_EQ(back.vgpr_spills, 0);
  EXPECT_FALSE(back.vgpr);
  EXPECT_FALSE(back.needs_fibres);
  EXPECT_TRUE(back.global_loads.empty());
}

TEST(Facts, RefuseOtherShapes) {
  EXPECT_THROW(facts_from_json(Json::array()), Json::exception);
  EXPECT_THROW(facts_from_json({{"file_bytes", 1}}), Json::exception);
  Json json = to_json(CodeFacts{{full_facts()}, 1});
  json["kernels"][0]["vgpr"] = "many";
  EXPECT_THROW(facts_from_json(json), Json::exception);
}

}  // namespace
}  // namespace fusetune

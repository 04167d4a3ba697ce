#include "harness/tune/requirements.hpp"

#include <gmock/gmock.h>

#include "harness/spec/variant_facts.hpp"
#include "harness/tune/case_plan.hpp"
#include "harness/tune/traffic.hpp"

namespace fusetune::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr const char* kCase = "split_reshape_cat(nk=2,nv=4,tokens=8)";

/// Two tuned variants and the baseline, compiled for the host and two AMD targets, proved and
/// traced; the first tuned one goes through memory worse and needs more registers.
class RequirementsTest : public testing::Test {
 protected:
  RequirementsTest() {
    const Case which = parse_case_key(kCase);
    plan_ = plan_of_cases({which}, parse_space("2"), "host-w64");
    plan_.compile_only = {parse_target("gfx90a"), parse_target("gfx1030")};
    traffic_.cases = {which};
    const std::vector<Variant>& variants = plan_.geometries[0].variants;
    for (std::size_t v = 0; v < variants.size(); ++v) {
      if (variants[v].implementation == "unfused") baseline_ = v;
      for (const char* target : {"host-w64", "gfx90a", "gfx1030"}) add_unit(v, target);
      ProvedVariant proved;
      proved.variant = v;
      proved.outcome = {};
      proofs_.variants.push_back(proved);
      TracedVariant traced;
      traced.variant = v;
      traced.outcome = {};
      traced.traffic.sites = {site(v == 1 ? 32 : 64)};
      traffic_.variants.push_back(traced);
    }
  }

  void add_unit(std::size_t variant, const char* target) {
    CompiledUnit unit;
    unit.variant = variant;
    unit.target = parse_target(target);
    unit.code.facts.kernels.resize(2);
    if (unit.target.platform != Platform::host) {
      unit.code.facts.kernels[0].vgpr = variant == 1 ? 20 : 90;
      unit.code.facts.kernels[1].vgpr = 10;
    }
    compiled_.units.push_back(unit);
  }

  static SiteTraffic site(std::int64_t segments) {
    SiteTraffic site;
    site.access_bytes = 16;
    site.instructions = 1;
    site.lanes = 64;
    site.segments_32 = segments;
    site.ideal_32 = 32;
    return site;
  }

  RequirementSummary apply(const std::string& rule, const std::string& reason = "too slow") {
    const Vocabulary names = with_facts(vocabulary_of(*plan_.geometries[0].geometry.family));
    RuleDecl decl;
    decl.rule = Expr::parse(rule, names.symbols());
    decl.reason = reason;
    plan_.geometries[0].require = {decl};
    RequirementSummary summary;
    apply_requirements(plan_, 0, compiled_, traffic_, proofs_, summary);
    return summary;
  }

  Plan plan_;
  CompileSummary compiled_;
  TrafficSummary traffic_;
  ProofSummary proofs_;
  std::size_t baseline_ = 0;
};

TEST_F(RequirementsTest, AVariantThatBreaksARuleIsPrunedWithItsReason) {
  ASSERT_EQ(plan_.geometries[0].variants.size(), 3u);
  const RequirementSummary summary = apply("coalescing_percent >= 90");
  ASSERT_EQ(summary.broken.size(), 1u);
  EXPECT_EQ(summary.broken[0].variant, 0u);
  EXPECT_EQ(summary.broken[0].target.name, "host-w64");
  EXPECT_EQ(proofs_.variants[0].outcome.status, Status::pruned);
  EXPECT_EQ(proofs_.variants[0].outcome.message,
            "too slow: coalescing_percent >= 90, but coalescing_percent is 50");
  EXPECT_TRUE(proofs_.variants[1].outcome.ok());
  // The baseline is as bad, and stays.
  EXPECT_EQ(baseline_, 2u);
  EXPECT_TRUE(proofs_.variants[2].outcome.ok());
  EXPECT_EQ(summary.judged, 2);
  EXPECT_THAT(summary.unjudged, IsEmpty());
}

TEST_F(RequirementsTest, RegistersAreThoseOfEveryTargetThatTellsThem) {
  const RequirementSummary summary = apply("vgpr <= 64");
  ASSERT_EQ(summary.broken.size(), 1u);
  EXPECT_EQ(summary.broken[0].target.name, "gfx90a");
  EXPECT_THAT(summary.broken[0].message, HasSubstr("vgpr is 90"));  // the larger of two entries
}

TEST_F(RequirementsTest, AFactThatOneEntryDoesNotTellIsUnknown) {
  for (CompiledUnit& unit : compiled_.units) unit.code.facts.kernels[1].vgpr.reset();
  const RequirementSummary summary = apply("vgpr <= 64");
  EXPECT_THAT(summary.broken, IsEmpty());
  EXPECT_EQ(summary.judged, 0);
  EXPECT_THAT(summary.unjudged, ElementsAre(Pair("vgpr <= 64", 2)));
}

TEST_F(RequirementsTest, TracesSpeakForTargetsWithWavesAsWide) {
  // No host code tells of registers, and gfx1030 has waves of 32: gfx90a alone can judge.
  const RequirementSummary summary = apply("coalescing_percent >= 90 || vgpr <= 64");
  ASSERT_EQ(summary.broken.size(), 1u);
  EXPECT_EQ(summary.broken[0].target.name, "gfx90a");
  EXPECT_EQ(summary.judged, 2);
}

TEST_F(RequirementsTest, WithoutATraceNothingIsTakenForGood) {
  traffic_.variants[0].outcome = {Status::kernel_timeout, "late"};
  const RequirementSummary summary = apply("coalescing_percent >= 90");
  EXPECT_THAT(summary.broken, IsEmpty());
  EXPECT_THAT(summary.unjudged, ElementsAre(Pair("coalescing_percent >= 90", 1)));
}

TEST_F(RequirementsTest, WhatFailedItsProofStaysFailed) {
  proofs_.variants[0].outcome = {Status::race, "two writers"};
  EXPECT_THAT(apply("coalescing_percent >= 90").broken, IsEmpty());
  EXPECT_EQ(proofs_.variants[0].outcome.status, Status::race);
}

TEST_F(RequirementsTest, ARuleWithoutAValueIsBroken) {
  const RequirementSummary summary = apply("100 / (coalescing_percent - 50) >= 0");
  ASSERT_EQ(summary.broken.size(), 1u);
  EXPECT_THAT(summary.broken[0].message, HasSubstr("has no value"));
}

TEST(TrafficFacts, AreThoseOfTheSites) {
  TracedTraffic traffic;
  SiteTraffic load;
  load.access_bytes = 16;
  load.instructions = 4;
  load.lanes = 256;
  load.segments_32 = 130;
  load.ideal_32 = 128;
  SiteTraffic narrow = load;
  narrow.access_bytes = 2;
  narrow.segments_32 = 30;
  narrow.ideal_32 = 16;
  SiteTraffic store = load;
  store.write = true;
  SiteTraffic lds;
  lds.shared = true;
  lds.access_bytes = 4;
  lds.instructions = 1;
  lds.bank_passes = 6;
  lds.bank_passes_ideal = 4;
  traffic.sites = {load, narrow, store, lds};
  traffic.barriers = 3;
  traffic.wave_operations = 12;
  const Bindings facts = facts_of(traffic, {4096, 4096});
  EXPECT_EQ(to_string(facts),
            "barriers=3,coalescing_percent=93,lds_conflict_percent=50,load_bytes_per_lane=16,"
            "load_bytes_per_lane_min=2,moved_percent=113,store_bytes_per_lane=16,"
            "store_bytes_per_lane_min=16,wave_operations=12");
  std::vector<std::string> names;
  for (const auto& [name, value] : facts) names.push_back(name);
  EXPECT_THAT(traffic_fact_names(), testing::UnorderedElementsAreArray(names));
  EXPECT_EQ(facts_of(traffic_from_json(to_json(traffic)), {4096, 4096}), facts);
  EXPECT_EQ(memory_cost(traffic), (MemoryCost{290, 6}));
}

TEST(TrafficFacts, WhatWasNotAccessedHasNoWidth) {
  const Bindings facts = facts_of(TracedTraffic{}, Traffic{});
  EXPECT_EQ(to_string(facts), "barriers=0,lds_conflict_percent=0,wave_operations=0");
}

TEST(TracedCase, IsTheSmallestThatFillsAFewBlocks) {
  const auto rows_of = [](const std::vector<std::int64_t>& rows) {
    std::vector<Case> cases;
    for (const std::int64_t count : rows)
      cases.push_back(
          parse_case_key("split_reshape_cat(nk=2,nv=4,tokens=" + std::to_string(count) + ")"));
    const Plan plan = plan_of_cases(cases, parse_space("1"), "host-w64");
    return traced_case(plan.geometries[0], plan.target, DeviceFacts{}).rows();
  };
  EXPECT_EQ(rows_of({64, 16, 1, 512}), 16);
  EXPECT_EQ(rows_of({3, 1}), 3);
  EXPECT_EQ(rows_of({0, 512}), 128);
}

}  // namespace
}  // namespace fusetune::test

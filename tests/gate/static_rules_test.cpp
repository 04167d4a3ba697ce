#include "harness/gate/static_rules.hpp"

#include <gmock/gmock.h>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"

namespace fusetune {
namespace {

using testing::HasSubstr;

constexpr const char* kRules = R"(gate_rules: 1
rules:
  - {rule: static/registers, facts: [vgpr, sgpr], worse: more, tolerance: 2, tolerance_percent: 10,
     reason: r}
  - {rule: static/occupancy, facts: [occupancy_waves], worse: less, at_least: 2, reason: r}
  - {rule: static/spills, facts: [vgpr_spills], worse: more, at_most: 0, reason: r}
)";

StaticRules rules() { return parse_static_rules(kRules, "rules.yaml"); }

FactsEntry facts(Facts values) {
  FactsEntry entry;
  entry.parts["k"] = std::move(values);
  return entry;
}

/// What one fact is judged to be.
Verdict verdict_of(std::optional<std::int64_t> accepted, std::int64_t observed,
                   const std::string& fact) {
  const FactsEntry before = facts(accepted ? Facts{{fact, *accepted}} : Facts{});
  const auto verdicts = judge_facts(rules(), &before, facts({{fact, observed}}));
  EXPECT_EQ(verdicts.size(), 1u);
  return verdicts.front().verdict;
}

TEST(StaticRules, TheLargerToleranceHolds) {
  EXPECT_EQ(verdict_of(10, 12, "vgpr"), Verdict::pass);
  EXPECT_EQ(verdict_of(10, 13, "vgpr"), Verdict::regression);
  EXPECT_EQ(verdict_of(100, 110, "vgpr"), Verdict::pass);
  EXPECT_EQ(verdict_of(100, 111, "vgpr"), Verdict::regression);
  EXPECT_EQ(verdict_of(100, 90, "vgpr"), Verdict::pass);
  EXPECT_EQ(verdict_of(100, 89, "vgpr"), Verdict::improvement);
}

TEST(StaticRules, LessMayBeWorse) {
  EXPECT_EQ(verdict_of(8, 7, "occupancy_waves"), Verdict::regression);
  EXPECT_EQ(verdict_of(8, 8, "occupancy_waves"), Verdict::pass);
  EXPECT_EQ(verdict_of(7, 8, "occupancy_waves"), Verdict::improvement);
}

TEST(StaticRules, ALimitHoldsWhateverIsAccepted) {
  EXPECT_EQ(verdict_of(4, 4, "vgpr_spills"), Verdict::regression);
  EXPECT_EQ(verdict_of(8, 4, "vgpr_spills"), Verdict::regression);
  EXPECT_EQ(verdict_of(std::nullopt, 1, "vgpr_spills"), Verdict::regression);
  EXPECT_EQ(verdict_of(std::nullopt, 0, "vgpr_spills"), Verdict::pass);
  EXPECT_EQ(verdict_of(std::nullopt, 1, "occupancy_waves"), Verdict::regression);
}

TEST(StaticRules, WhatIsNoLongerToldIsWorse) {
  const FactsEntry before = facts({{"vgpr", 10}, {"sgpr", 5}});
  FactsEntry now = facts({{"vgpr", 10}});
  auto verdicts = judge_facts(rules(), &before, now);
  ASSERT_EQ(verdicts.size(), 2u);
  EXPECT_EQ(verdicts[0].verdict, Verdict::regression);
  EXPECT_THAT(verdicts[0].text, HasSubstr("sgpr of k is no longer told; accepted is 5"));
  EXPECT_EQ(verdicts[1].verdict, Verdict::pass);
  now.parts.clear();
  verdicts = judge_facts(rules(), &before, now);
  ASSERT_EQ(verdicts.size(), 2u);
  EXPECT_EQ(verdicts[1].verdict, Verdict::regression);
}

TEST(StaticRules, FactsWithoutARuleAreNotJudged) {
  const FactsEntry before = facts({{"code_bytes", 10}});
  EXPECT_TRUE(judge_facts(rules(), &before, facts({{"code_bytes", 1000}})).empty());
}

TEST(StaticRules, TheShippedOnesJudgeEveryFact) {
  const StaticRules shipped =
      load_static_rules(std::filesystem::path(FUSETUNE_SOURCE_DIR) / "configs/gate-rules.yaml");
  for (const std::string& fact : static_fact_names())
    EXPECT_NE(shipped.find(fact), nullptr) << fact;
}

struct BadRules {
  std::string name, replace, with, message;
};

class RefusedRules : public testing::TestWithParam<BadRules> {};

TEST_P(RefusedRules, AreToldWithTheirPlace) {
  std::string text = kRules;
  const std::size_t at = text.find(GetParam().replace);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, GetParam().replace.size(), GetParam().with);
  try {
    parse_static_rules(text, "rules.yaml");
    FAIL() << "accepted";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), testing::MatchesRegex("rules.yaml:[0-9]+:[0-9]+: .*"));
    EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  }
}

INSTANTIATE_TEST_SUITE_P(
    StaticRules, RefusedRules,
    testing::Values(BadRules{"Key", "at_least:", "at_leest:", "at_least"},
                    BadRules{"Fact", "[vgpr, sgpr]", "[vgprs]", "'vgpr'"},
                    BadRules{"FactTwice", "[vgpr_spills]", "[vgpr]", "has a rule already"},
                    BadRules{"NoFacts", "[vgpr, sgpr]", "[]", "without facts"},
                    BadRules{"NoReason", "reason: r}", "}", "reason"},
                    BadRules{"EmptyReason", "reason: r}", "reason: \"\"}", "empty"},
                    BadRules{"Direction", "worse: less", "worse: fewer", "fewer"},
                    BadRules{"LimitOfTheOtherSide", "at_most: 0", "at_least: 0", "say at_most"},
                    BadRules{"NegativeTolerance", "tolerance: 2", "tolerance: -2", "from 0 up"},
                    BadRules{"NegativePercent", "percent: 10", "percent: -10", "from 0 to"},
                    BadRules{"HugeTolerance", "tolerance: 2", "tolerance: 9223372036854775807",
                             "from 0 up"},
                    BadRules{"NoNumber", "percent: 10", "percent: .nan", "number"},
                    BadRules{"Name", "static/spills", "spills", "static/..."},
                    BadRules{"Format", "gate_rules: 1", "gate_rules: 2", "reads format 1"}),
    [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace fusetune

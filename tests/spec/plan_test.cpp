#include "harness/spec/plan.hpp"

#include <gmock/gmock.h>

#include <set>

#include "tests/spec/family_fixture.hpp"

namespace fusetune::test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kPlanModels = R"(models:
  big: {source: a config, tp: [1, 2], attributes: {hidden: 128, form: wide}}
  twin: {source: a guess, verified: false, tp: [1], attributes: {hidden: 128, form: wide}}
  odd: {source: a config, tp: [1, 2], attributes: {hidden: 63, form: plain}}
  other: {source: a config, tp: [1], attributes: {layers: 3}}
)";

class PlanTest : public ::testing::Test {
 protected:
  PlanTest() : models_(Models::load(folder_.write("models.yaml", kPlanModels))) {
    folder_.write("toy/family.yaml", kFamily);
  }

  /// A sweep of one entry with these lines.
  Sweep sweep_of(const std::string& lines) {
    return load_sweep(folder_.write("sweep.yaml",
                                    "sweep: trial\ndevice: host-w64\nfamilies:\n"
                                    "  - family: toy/family.yaml\n" +
                                        lines));
  }
  Plan plan_of(const std::string& lines) {
    return make_plan(sweep_of(lines), models_, parse_target("host-w64"));
  }
  std::string error_with(const std::string& lines) {
    return error_of([&] { plan_of(lines); });
  }

  Folder folder_;
  Models models_;
};

std::vector<std::string> keys_of(const Plan& plan) {
  std::vector<std::string> keys;
  for (const PlannedGeometry& one : plan.geometries) keys.push_back(one.geometry.key());
  return keys;
}

std::vector<std::string> variants_of(const PlannedGeometry& one) {
  std::vector<std::string> keys;
  for (const Variant& variant : one.variants) keys.push_back(variant.key(*one.geometry.family));
  return keys;
}

/// Everything of a plan that is printed anywhere.
std::string text_of(const Plan& plan) {
  std::string text;
  for (const PlannedGeometry& one : plan.geometries) {
    text += one.geometry.key() + "\n";
    for (const std::string& model : one.models) text += model + " ";
    for (const std::string& key : variants_of(one)) text += key + "\n";
    for (const Pruned& gone : one.pruned)
      text += gone.variant.key(*one.geometry.family) + gone.reason + "\n";
    for (const PlannedCase& each : one.cases)
      text += each.which.key() + std::to_string(each.weight) + "\n";
  }
  for (const std::string& reason : plan.skipped) text += reason + "\n";
  return text;
}

TEST_F(PlanTest, AModelBecomesAGeometryWithVariantsAndCases) {
  const Plan plan = plan_of("    models: big@tp2\n    tokens: {1: 1, 16: 3}\n");
  ASSERT_EQ(plan.geometries.size(), 1u);
  const PlannedGeometry& one = plan.geometries[0];
  // The model's word decides the option that the sweep leaves open.
  EXPECT_EQ(one.geometry.key(),
            "toy(act=bf16,form=wide,heads=2,out=bf16,rounding=before,tail=off,width=64)");
  EXPECT_THAT(one.models, ElementsAre("big@tp2"));
  EXPECT_TRUE(one.verified);
  // 3 block sizes x 4 widths x 2 paths of fused, 2 of simple; view serves plain rows only.
  EXPECT_EQ(one.variants.size(), 24u + 2u);
  EXPECT_EQ(variants_of(one).front(), "block_size=64,path=direct,vector_bytes=16");
  EXPECT_EQ(variants_of(one).back(), "block_size=128,implementation=simple,path=staged");
  ASSERT_EQ(one.cases.size(), 2u);
  EXPECT_EQ(one.cases[0].which.rows(), 1);
  EXPECT_DOUBLE_EQ(one.cases[0].weight, 0.25);
  EXPECT_DOUBLE_EQ(one.cases[1].weight, 0.75);
  EXPECT_EQ(plan.case_count(), 2);
  EXPECT_EQ(plan.variant_count(), 26);
  EXPECT_EQ(plan.pruned_count(), 0);
}

TEST_F(PlanTest, OptionsOfTheSweepReplaceTheModels) {
  EXPECT_THAT(
      keys_of(plan_of("    models: big@tp1\n    tokens: [1]\n    options: {form: plain}\n")),
      ElementsAre(HasSubstr("form=plain")));
}

TEST_F(PlanTest, EqualGeometriesOfTwoModelsMerge) {
  const Plan plan = plan_of("    models: [big@tp1, twin]\n    tokens: {1: 1, 16: 3}\n");
  ASSERT_EQ(plan.geometries.size(), 1u);
  EXPECT_THAT(plan.geometries[0].models, ElementsAre("big@tp1", "twin@tp1"));
  EXPECT_TRUE(plan.geometries[0].verified);
  ASSERT_EQ(plan.geometries[0].cases.size(), 2u);
  EXPECT_DOUBLE_EQ(plan.geometries[0].cases[1].weight, 0.75);
  EXPECT_FALSE(plan_of("    models: [twin]\n    tokens: [1]\n").geometries[0].verified);
}

TEST_F(PlanTest, UnfitModelsAreSkippedUnderAllAndErrorsByName) {
  const Plan plan = plan_of("    models: all\n    tokens: [1]\n");
  EXPECT_EQ(plan.geometries.size(), 2u);
  EXPECT_THAT(plan.skipped, Contains("other@tp1: toy: the model has no hidden, which gives width"));
  EXPECT_THAT(plan.skipped, Contains(HasSubstr("odd@tp1: toy: not supported: heads share")));
  EXPECT_THAT(plan.skipped, Contains(HasSubstr("odd@tp2: toy: width = hidden / tp")));
  EXPECT_EQ(plan.skipped.size(), 3u);
  EXPECT_THAT(error_with("    models: other\n    tokens: [1]\n"),
              AllOf(HasSubstr("sweep.yaml:5:13"), HasSubstr("the model has no hidden")));
  EXPECT_THAT(error_with("    models: [all, odd@tp2]\n    tokens: [1]\n"),
              AllOf(HasSubstr("sweep.yaml:5:19"), HasSubstr("width = hidden / tp")));
  EXPECT_THAT(error_with("    models: odd@tp1\n    tokens: [1]\n"), HasSubstr("heads share"));
  EXPECT_THAT(error_with("    models: bigg\n    tokens: [1]\n"),
              AllOf(HasSubstr("sweep.yaml:5:13"), HasSubstr("did you mean 'big'")));
}

TEST_F(PlanTest, AnAttributeThatNoModelHasIsTheFamilysError) {
  folder_.write("toy/family.yaml", replaced(kFamily, "hidden / tp", "hiden / tp"));
  EXPECT_THAT(error_with("    models: all\n    tokens: [1]\n"),
              AllOf(HasSubstr("family.yaml:7:"), HasSubstr("did you mean 'hidden'")));
}

TEST_F(PlanTest, OptionsWithoutAMeaningCollapse) {
  // `rounding` counts under tail == on only: off+before, on+before, on+after.
  const Plan plan = plan_of(
      "    symbols: [{width: 64}]\n    tokens: [4]\n"
      "    options: {tail: [off, on], rounding: [before, after]}\n");
  EXPECT_THAT(keys_of(plan), ElementsAre(HasSubstr("rounding=after,tail=on"),
                                         HasSubstr("rounding=before,tail=off"),
                                         HasSubstr("rounding=before,tail=on")));
  EXPECT_THAT(plan.skipped, IsEmpty());
}

TEST_F(PlanTest, RuntimeValuesAndStridesMultiply) {
  const Plan plan = plan_of(
      "    symbols: [{width: 60}]\n    tokens: [4]\n    options: {tail: on}\n"
      "    runtime: {valid: [tokens, 1]}\n    strides: {x: [dense, width + 2, width + 4]}\n");
  // The strides give the classes 8 (120 bytes), 4 (124) and 16 (128).
  EXPECT_THAT(keys_of(plan), ElementsAre(HasSubstr("align_x=16"), HasSubstr("align_x=4"),
                                         Not(HasSubstr("align_x"))));
  for (const PlannedGeometry& one : plan.geometries) {
    ASSERT_EQ(one.cases.size(), 2u);
    EXPECT_DOUBLE_EQ(one.cases[0].weight, 0.5);
  }
}

TEST_F(PlanTest, ImpossibleCombinationsAreSaid) {
  const Plan plan = plan_of(
      "    symbols: [{width: 64}]\n    tokens: [2, 9]\n    options: {tail: on}\n"
      "    runtime: {valid: [4]}\n");
  EXPECT_EQ(plan.case_count(), 1);
  EXPECT_THAT(plan.skipped, ElementsAre(HasSubstr("width=64: toy: not supported: valid lies in")));
  EXPECT_THAT(error_with("    symbols: [{width: 64}]\n    tokens: [2]\n"
                         "    strides: {x: width - 1}\n"),
              HasSubstr("a row stride of 63 elements is below the row's 64"));
}

TEST_F(PlanTest, ConstraintsPruneWithTheirReason) {
  const Plan plan = plan_of(
      "    symbols: [{width: 6}]\n    tokens: [1]\n    axes: {block_size: [64, 96]}\n"
      "    implementations: fused\n    filter: path == direct\n");
  EXPECT_THAT(variants_of(plan.geometries[0]),
              ElementsAre("block_size=64,path=direct,vector_bytes=4",
                          "block_size=64,path=direct,vector_bytes=2",
                          // The baseline comes along, and the filter holds for it as well.
                          "block_size=128,implementation=simple,path=direct"));
  std::set<std::string> reasons;
  for (const Pruned& gone : plan.geometries[0].pruned) reasons.insert(gone.reason);
  EXPECT_THAT(reasons, ElementsAre("a block is whole waves (block_size % WAVE_SIZE == 0)",
                                   "path == direct", "vector_bytes <= align_bytes(x)"));
  EXPECT_EQ(plan.geometries[0].pruned.size() + plan.geometries[0].variants.size(),
            2u * 4u * 2u + 2u);
}

TEST_F(PlanTest, TheWaveSizeIsTheTargets) {
  const Sweep sweep = sweep_of(
      "    symbols: [{width: 64}]\n    tokens: [1]\n    axes: {block_size: 96}\n"
      "    implementations: fused\n");
  EXPECT_EQ(make_plan(sweep, models_, parse_target("host-w32")).variant_count(), 8 + 2);
  EXPECT_THAT(error_of([&] { make_plan(sweep, models_, parse_target("host-w64")); }),
              AllOf(HasSubstr("family.yaml:"), HasSubstr("no variant of fused is left"),
                    HasSubstr("a block is whole waves (block_size % WAVE_SIZE == 0)")));
}

TEST_F(PlanTest, TheConstraintThatRemovesTheLastVariantIsNamed) {
  // block_size removes 96 first, the filters remove the rest, the second of them the last.
  EXPECT_THAT(error_with("    symbols: [{width: 64}]\n    tokens: [1]\n    implementations: fused\n"
                         "    axes: {block_size: [96, 64]}\n"
                         "    filter:\n      - path == direct\n"
                         "      - {rule: path == staged, reason: staged only}\n"
                         "      - vector_bytes == 16\n"),
              AllOf(HasSubstr("sweep.yaml:11:9"), HasSubstr("staged only (path == staged)")));
}

TEST_F(PlanTest, DerivedSymbolsThatFailForAVariantPruneIt) {
  folder_.write("toy/family.yaml",
                replaced(kFamily,
                         "  - {rule: block_size % WAVE_SIZE == 0, reason: a block is whole "
                         "waves}\n",
                         ""));
  const Plan plan = plan_of(
      "    symbols: [{width: 64}]\n    tokens: [1]\n    axes: {block_size: [64, 96]}\n"
      "    implementations: fused\n");
  EXPECT_EQ(plan.variant_count(), 8 + 2);
  EXPECT_THAT(plan.geometries[0].pruned.at(0).reason, HasSubstr("lanes = block_size / WAVE_SIZE"));
}

TEST_F(PlanTest, ImplementationsThatServeNothingAreSaid) {
  const Plan plan = plan_of(
      "    symbols: [{width: 64}]\n    tokens: [1]\n    options: {form: [plain, wide]}\n"
      "    implementations: [simple, view]\n");
  EXPECT_THAT(plan.skipped, ElementsAre(AllOf(HasSubstr("form=wide"), HasSubstr("view needs"))));
  EXPECT_THAT(error_with("    symbols: [{width: 64}]\n    tokens: [1]\n    options: {form: wide}\n"
                         "    implementations: view\n"),
              HasSubstr("no implementation serves toy("));
}

TEST_F(PlanTest, NothingToDoIsAnError) {
  EXPECT_THAT(error_with("    tokens: [1]\n"), HasSubstr("nothing gives width"));
  EXPECT_THAT(error_with("    symbols: [{width: 64}]\n"), HasSubstr("needs tokens"));
  models_ = Models::load(folder_.write(
      "models.yaml", "models: {odd: {source: s, tp: [2], attributes: {hidden: 63, form: wide}}}"));
  EXPECT_THAT(error_with("    models: all\n    tokens: [1]\n"),
              AllOf(HasSubstr("nothing to do"), HasSubstr("odd@tp2")));
}

TEST_F(PlanTest, ExplosionsAreErrorsBeforeTheyHappen) {
  std::string text = kFamily;
  std::string many = "[1";
  for (int i = 2; i <= 2048; ++i) many += "," + std::to_string(i);
  many += "]";
  // 2048^6 wraps to 0.
  std::string axes;
  for (const char* name : {"a", "b", "c", "d", "e", "f"})
    axes += std::string("  ") + name + ": {values: " + many + "}\n";
  folder_.write("toy/family.yaml", replaced(text, "axes:\n", "axes:\n" + axes));
  EXPECT_THAT(error_with("    symbols: [{width: 64}]\n    tokens: [1]\n"),
              HasSubstr("more than 1000000 combinations"));
  folder_.write("toy/family.yaml", kFamily);
  EXPECT_THAT(error_with("    symbols: [{width: 64}]\n    options: {tail: on}\n    tokens: " +
                         many + "\n    runtime: {valid: " + many + "}\n"),
              HasSubstr("more than 1000000 cases"));
}

TEST_F(PlanTest, EntriesThatShareAGeometryShareItsVariantsOnce) {
  const Plan plan = plan_of(
      "    symbols: [{width: 64}]\n    tokens: {1: 1}\n    axes: {block_size: 64}\n"
      "    implementations: fused\n"
      "  - family: toy/family.yaml\n"
      "    symbols: [{width: 64}]\n    tokens: {1: 10, 8: 30}\n    axes: {block_size: [64, 128]}\n"
      "    implementations: fused\n    filter: path == direct\n");
  ASSERT_EQ(plan.geometries.size(), 1u);
  const PlannedGeometry& one = plan.geometries[0];
  EXPECT_EQ(one.variants.size(), 8u + 4u + 2u);
  std::set<std::string> chosen;
  for (const std::string& key : variants_of(one)) EXPECT_TRUE(chosen.insert(key).second) << key;
  // What one entry filters out and the other takes is not pruned.
  EXPECT_EQ(one.pruned.size(), 4u);
  for (const Pruned& gone : one.pruned)
    EXPECT_EQ(chosen.count(gone.variant.key(*one.geometry.family)), 0u);
  // Each entry has the same say: (1 + 0.25) to 0.75.
  ASSERT_EQ(one.cases.size(), 2u);
  EXPECT_DOUBLE_EQ(one.cases[0].weight, 0.625);
  EXPECT_DOUBLE_EQ(one.cases[1].weight, 0.375);
}

TEST_F(PlanTest, WhatEntriesRequireOfAGeometryAddsUp) {
  const Plan plan = plan_of(
      "    symbols: [{width: 64}, {width: 32}]\n    tokens: [1]\n    require: vgpr <= 64\n"
      "  - family: toy/family.yaml\n"
      "    symbols: [{width: 64}]\n    tokens: [1]\n    require: [vgpr <= 64, barriers == 0]\n");
  ASSERT_EQ(plan.geometries.size(), 2u);
  for (const PlannedGeometry& one : plan.geometries)
    EXPECT_EQ(one.require.size(), to_string(one.geometry.statics.at("width")) == "64" ? 2u : 1u);
}

TEST_F(PlanTest, CompileOnlyTargetsLeaveOutTheDevicesOwn) {
  Sweep sweep = sweep_of("    symbols: [{width: 64}]\n    tokens: [1]\n");
  sweep.also_compile = {"gfx90a", "host-w64", "gfx90a", "sm_90"};
  const Plan plan = make_plan(sweep, models_, parse_target("host-w64"));
  ASSERT_EQ(plan.compile_only.size(), 2u);
  EXPECT_EQ(plan.compile_only[0].name, "gfx90a");
  EXPECT_EQ(plan.compile_only[1].name, "sm_90");
}

TEST_F(PlanTest, EqualBitsInEveryBatchAreAskedWhereRowsAreIndependent) {
  const std::string lines = "    symbols: [{width: 4}]\n    tokens: [16]\n";
  EXPECT_FALSE(plan_of(lines).geometries.front().batch_invariant);
  EXPECT_TRUE(plan_of(lines + "    batch_invariant: true\n").geometries.front().batch_invariant);
  folder_.write("toy/family.yaml", std::string(kFamily) +
                                       "independent_rows: {rule: tail == off, reason: tails are "
                                       "shared}\n");
  plan_of(lines + "    batch_invariant: true\n    options: {tail: off}\n");
  EXPECT_THAT(error_with(lines + "    batch_invariant: true\n    options: {tail: on}\n"),
              AllOf(HasSubstr("sweep.yaml:4"), HasSubstr("tails are shared (tail == off)")));
  EXPECT_THAT(error_with(lines + "    batch_invariant: maybe\n"), HasSubstr("sweep.yaml:7:22"));
}

TEST_F(PlanTest, PlansAreDeterministicAndSorted) {
  const std::string lines =
      "    models: [all]\n    symbols: [{width: 4}]\n    tokens: [16, 1, 4]\n"
      "    options: {tail: [on, off], form: [wide, plain]}\n    space: 5\n";
  const Plan plan = plan_of(lines);
  EXPECT_EQ(text_of(plan), text_of(plan_of(lines)));
  const auto keys = keys_of(plan);
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  for (const PlannedGeometry& one : plan.geometries)
    for (std::size_t i = 1; i < one.cases.size(); ++i)
      EXPECT_LE(one.cases[i - 1].which.rows(), one.cases[i].which.rows());
}

}  // namespace
}  // namespace fusetune::test

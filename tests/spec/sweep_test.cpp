#include <gmock/gmock.h>

#include "tests/spec/family_fixture.hpp"

namespace fusetune::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Uses every key of a sweep.
const std::string kSweep = document("sweep.yaml");

class SweepTest : public ::testing::Test {
 protected:
  SweepTest() { folder_.write("toy/family.yaml", kFamily); }

  Sweep load(const std::string& text) { return load_sweep(folder_.write("sweep.yaml", text)); }
  std::string error_with(const std::string& old_text, const std::string& new_text) {
    return error_of([&] { load(replaced(kSweep, old_text, new_text)); });
  }

  Folder folder_;
};

TEST_F(SweepTest, ReadsEveryKey) {
  const Sweep sweep = load(kSweep);
  EXPECT_EQ(sweep.name, "trial");
  EXPECT_EQ(sweep.device, "host-w64");
  EXPECT_THAT(sweep.also_compile, ElementsAre("gfx90a"));
  EXPECT_EQ(sweep.space.text(), "pairwise");
  EXPECT_EQ(sweep.search.text(), "model, 24 evaluations, seed 3");
  EXPECT_EQ(sweep.measure.data, "hot");
  EXPECT_EQ(sweep.measure.budget_s, 7.5);
  EXPECT_EQ(sweep.measure.probe_cutoff, 4);
  ASSERT_EQ(sweep.entries.size(), 1u);
  const SweepEntry& entry = sweep.entries[0];
  EXPECT_EQ(entry.family->name, "toy");
  EXPECT_THAT(entry.models, ElementsAre("big@tp1", "all"));
  ASSERT_EQ(entry.symbols.size(), 2u);
  EXPECT_EQ(to_string(entry.symbols[1]), "heads=4,width=128");
  EXPECT_THAT(entry.options.at("tail"), ElementsAre("off", "on"));
  EXPECT_THAT(entry.options.at("form"), ElementsAre("wide"));
  EXPECT_THAT(entry.dtypes.at("act"), ElementsAre(DType::bf16, DType::fp32));
  EXPECT_THAT(entry.tokens, ElementsAre(std::pair<std::int64_t, double>(1, 0.5),
                                        std::pair<std::int64_t, double>(16, 0.5)));
  EXPECT_EQ(entry.runtime.at("valid").size(), 2u);
  ASSERT_EQ(entry.row_strides.at("x").size(), 2u);
  EXPECT_EQ(entry.row_strides.at("x")[0].text(), "width");
  EXPECT_EQ(entry.row_strides.at("x")[1].text(), "width + 64");
  EXPECT_EQ(entry.base_align_bytes.at("x"), 8);
  EXPECT_EQ(entry.axes.at("block_size").size(), 2u);
  EXPECT_EQ(entry.filters.at(0).reason, "narrow accesses are slow");
  ASSERT_EQ(entry.require.size(), 2u);
  EXPECT_EQ(entry.require[0].reason, "strided lanes");
  EXPECT_EQ(entry.require[1].reason, "vgpr <= 128");
  EXPECT_THAT(entry.implementations, ElementsAre("fused", "simple"));
  EXPECT_EQ(entry.space->count, 12);
}

TEST_F(SweepTest, TokensMayBeAList) {
  EXPECT_THAT(load(replaced(kSweep, "{1: 0.5, 16: 0.5}", "[3, 5]")).entries[0].tokens,
              ElementsAre(std::pair<std::int64_t, double>(3, 1.0),
                          std::pair<std::int64_t, double>(5, 1.0)));
}

TEST_F(SweepTest, ErrorsNamePlaceAndNearestName) {
  EXPECT_THAT(error_with("space: pairwise", "spase: pairwise"),
              AllOf(HasSubstr("sweep.yaml:4:1"), HasSubstr("'space'")));
  EXPECT_THAT(error_with("    models:", "    modles:"), HasSubstr("'models'"));
  EXPECT_THAT(error_with("toy/family.yaml", "split_reshape_cut"),
              AllOf(HasSubstr("sweep.yaml:6:13"), HasSubstr("did you mean 'split_reshape_cat'")));
  EXPECT_THAT(error_with("{tail: [off, on]", "{tale: [off, on]"), HasSubstr("mean 'tail'"));
  EXPECT_THAT(error_with("form: wide", "form: wid"), HasSubstr("did you mean 'wide'"));
  EXPECT_THAT(error_with("{act: [bf16, fp32]}", "{act: [bf16, fp321]}"), HasSubstr("'fp32'"));
  EXPECT_THAT(error_with("{act: [bf16, fp32]}", "{act: [i32]}"), HasSubstr("unknown element type"));
  EXPECT_THAT(error_with("{valid: [", "{valit: ["), HasSubstr("did you mean 'valid'"));
  EXPECT_THAT(error_with("{x: [dense", "{y: [dense"), HasSubstr("runtime row stride 'y'"));
  EXPECT_THAT(error_with("base_align_bytes: {x", "base_align_bytes: {xx"),
              HasSubstr("tensor 'xx'"));
  EXPECT_THAT(error_with("{block_size: [64, 96]", "{blok_size: [64, 96]"),
              HasSubstr("did you mean 'block_size'"));
  EXPECT_THAT(error_with("path: staged", "path: stagd"), HasSubstr("did you mean 'staged'"));
  EXPECT_THAT(error_with("[fused, simple]", "[fussed]"), HasSubstr("did you mean 'fused'"));
  EXPECT_THAT(error_with("{width: 64}", "{widht: 64}"), HasSubstr("did you mean 'width'"));
  EXPECT_THAT(error_with("{width: 64}", "{tokens: 64}"), HasSubstr("static symbol"));
  EXPECT_THAT(error_with("[gfx90a]", "[gxf90a]"), HasSubstr("sweep.yaml:3:"));
  EXPECT_THAT(error_with("host-w64", "hots-w64"), HasSubstr("did you mean 'host-w64'"));
  EXPECT_THAT(error_with("data: hot", "data: warm"), HasSubstr("unknown data 'warm'"));
}

TEST_F(SweepTest, ValuesAreChecked) {
  EXPECT_THAT(error_with("[64, 96]", "[64, 2048]"), HasSubstr("32 to 1024, not 2048"));
  EXPECT_THAT(error_with("[64, 96]", "[]"), HasSubstr("at least one value"));
  EXPECT_THAT(error_with("[64, 96]", "[64, 64]"), HasSubstr("listed twice"));
  EXPECT_THAT(error_with("{1: 0.5, 16: 0.5}", "{1: 0.5, -16: 0.5}"), HasSubstr("0 or more"));
  EXPECT_THAT(error_with("{1: 0.5, 16: 0.5}", "{1: 0.5, 16: -0.5}"), HasSubstr("a weight"));
  EXPECT_THAT(error_with("{1: 0.5, 16: 0.5}", "{1: 0, 16: 0}"), HasSubstr("add up to nothing"));
  EXPECT_THAT(error_with("{1: 0.5, 16: 0.5}", "[1, 1]"), HasSubstr("listed twice"));
  EXPECT_THAT(error_with("{1: 0.5, 16: 0.5}", "[]"), HasSubstr("at least one row count"));
  EXPECT_THAT(error_with("{1: 0.5, 16: 0.5}", "[016]"), HasSubstr("sweep.yaml:11:"));
  EXPECT_THAT(error_with("space: 12", "space: 0"), HasSubstr("is no space"));
  EXPECT_THAT(error_with("space: 12", "space: fully"), HasSubstr("is no space"));
  EXPECT_THAT(error_with("budget_s: 7.5", "budget_s: 0"), HasSubstr("above 0 seconds"));
  EXPECT_THAT(error_with("{x: 8}", "{x: 12}"), HasSubstr("power of two"));
  EXPECT_THAT(error_with("width + 64]", "tokens + 64]"), HasSubstr("a row stride cannot use it"));
  EXPECT_THAT(error_with("vector_bytes >= 4", "tokens >= 4"), HasSubstr("a filter cannot use it"));
  EXPECT_THAT(error_with("vector_bytes >= 4", "vgpr <= 4"), HasSubstr("'vgpr'"));
  EXPECT_THAT(error_with("vgpr <= 128", "vgprs <= 128"), HasSubstr("did you mean 'vgpr'"));
  EXPECT_THAT(error_with("vgpr <= 128", "tokens <= 128"), HasSubstr("a requirement cannot use it"));
  EXPECT_THAT(error_with("vector_bytes >= 4", "CU_COUNT >= 4"),
              HasSubstr("a filter cannot use it"));
}

TEST_F(SweepTest, ASearchIsReadStrictly) {
  EXPECT_TRUE(load(replaced(kSweep, "search: {strategy: model, evaluations: 24, seed: 3}", ""))
                  .search.is_exhaustive());
  EXPECT_EQ(load(replaced(kSweep, ", evaluations: 24, seed: 3}", "}")).search.text(),
            "model, 64 evaluations, seed 1");
  const std::string model = "strategy: model, evaluations: 24, seed: 3";
  EXPECT_THAT(error_with("strategy: model", "strategy: modal"),
              AllOf(HasSubstr("sweep.yaml:22:20: "), HasSubstr("did you mean 'model'")));
  EXPECT_THAT(error_with("evaluations: 24", "evaluation: 24"),
              AllOf(HasSubstr("sweep.yaml:22:27: "), HasSubstr("did you mean 'evaluations'")));
  EXPECT_THAT(error_with("evaluations: 24", "evaluations: 0"),
              AllOf(HasSubstr("sweep.yaml:22:40: "), HasSubstr("from 1 up")));
  EXPECT_THAT(error_with("evaluations: 24", "evaluations: 024"), HasSubstr("sweep.yaml:22:40: "));
  EXPECT_THAT(error_with("seed: 3", "seed: -3"), HasSubstr("from 0 up"));
  EXPECT_THAT(error_with(model, "evaluations: 24"), HasSubstr("strategy"));
  // What would say nothing is no key of it.
  EXPECT_THAT(error_with(model, "strategy: exhaustive, evaluations: 24"),
              HasSubstr("tries every variant"));
  EXPECT_THAT(error_with(model, "strategy: exhaustive, seed: 3"), HasSubstr("tries every variant"));
  EXPECT_THAT(error_with("search: {" + model + "}", "search: model"), HasSubstr("sweep.yaml:22:9"));
}

TEST_F(SweepTest, ASweepWithoutFamiliesIsAnError) {
  EXPECT_THAT(error_of([&] { load("sweep: none\ndevice: host-w64\nfamilies: []\n"); }),
              HasSubstr("measures nothing"));
  EXPECT_THAT(error_of([&] { load("sweep: none\nfamilies: []\n"); }), HasSubstr("device"));
}

TEST_F(SweepTest, IncludesAddTheirEntries) {
  folder_.write("parts/one.yaml", R"(sweep: one
families: [{family: ../toy/family.yaml, symbols: [{width: 32}], tokens: [1]}]
)");
  const std::string text = replaced(kSweep, "families:", "include: parts/one.yaml\nfamilies:");
  const Sweep sweep = load(text);
  ASSERT_EQ(sweep.entries.size(), 2u);
  EXPECT_EQ(to_string(sweep.entries[0].symbols.at(0)), "width=32");
  EXPECT_EQ(sweep.name, "trial");
  // What the includes say is part of what the sweep is.
  const std::string before = sweep.content_hash;
  folder_.write("parts/one.yaml", R"(sweep: one
families: [{family: ../toy/family.yaml, symbols: [{width: 48}], tokens: [1]}]
)");
  EXPECT_NE(load(text).content_hash, before);
}

TEST_F(SweepTest, IncludesThatCannotBeAreErrors) {
  const std::string text = replaced(kSweep, "families:", "include: [one.yaml]\nfamilies:");
  EXPECT_THAT(error_of([&] { load(text); }),
              AllOf(HasSubstr("sweep.yaml:5:"), HasSubstr("there is no file")));
  folder_.write("one.yaml", "sweep: one\ninclude: [two.yaml]\n");
  folder_.write("two.yaml", "sweep: two\ninclude: [./one.yaml]\n");
  EXPECT_THAT(error_of([&] { load(text); }),
              AllOf(HasSubstr("two.yaml:2:"), HasSubstr("one.yaml includes itself")));
  folder_.write("two.yaml", "sweep: two\n");
  EXPECT_EQ(load(text).entries.size(), 1u);
}

TEST(ShippedSweeps, LoadAndLeaveSomethingToDo) {
  const Models models = Models::load_default();
  int count = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(
           std::filesystem::path(FUSETUNE_SOURCE_DIR) / "configs" / "sweeps")) {
    if (file.path().extension() != ".yaml") continue;
    const Plan plan = make_plan(load_sweep(file.path()), models, parse_target("host-w64"));
    EXPECT_GT(plan.case_count(), 0) << file.path();
    ++count;
  }
  EXPECT_GT(count, 0);
}

}  // namespace
}  // namespace fusetune::test

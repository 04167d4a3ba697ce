#include <gmock/gmock.h>

#include "harness/base/json.hpp"
#include "tests/spec/family_fixture.hpp"

namespace fusetune::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FamilyTest : public ::testing::Test {
 protected:
  /// The error of the test family with one text replaced by another.
  std::string error_with(const std::string& old_text, const std::string& new_text) {
    return error_of([&] { family_of(folder_, replaced(kFamily, old_text, new_text)); });
  }

  Folder folder_;
};

TEST_F(FamilyTest, ReadsEveryPart) {
  const auto family = family_of(folder_, kFamily);
  EXPECT_EQ(family->name, "toy");
  EXPECT_EQ(family->rows, "tokens");
  EXPECT_THAT(family->static_symbols(), ElementsAre("width", "heads"));
  EXPECT_THAT(family->runtime_symbols(), ElementsAre("tokens", "valid"));
  EXPECT_EQ(family->find_symbol("valid")->prove.size(), 3u);
  EXPECT_EQ(family->find_symbol("width")->from_model->text(), "hidden / tp");
  EXPECT_THAT(family->find_option("form")->values, ElementsAre("plain", "wide"));
  EXPECT_EQ(family->find_option("form")->from_model, "form");
  EXPECT_EQ(family->find_dtype("out")->same_as, "act");
  EXPECT_EQ(family->derived.size(), 6u);
  ASSERT_EQ(family->tensors.size(), 5u);
  EXPECT_TRUE(family->find_tensor("x")->runtime_row_stride);
  EXPECT_FALSE(family->find_tensor("y")->runtime_row_stride);
  EXPECT_THAT(family->find_tensor("y")->align_bytes, ElementsAre(16, 4));
  EXPECT_EQ(family->find_tensor("cache")->role, Role::inout);
  EXPECT_EQ(family->find_tensor("cache")->touched_read_bytes->text(), "0");
  EXPECT_EQ(family->scalars.at(0).default_value, 1e-6);
  EXPECT_EQ(family->find_axis("block_size")->range->second, 1024);
  EXPECT_EQ(family->constraints.at(0).reason, "a block is whole waves");
  EXPECT_EQ(family->constraints.at(1).reason, "vector_bytes <= align_bytes(x)");
  EXPECT_EQ(family->tuned, "fused");
  EXPECT_EQ(family->baseline, "simple");
  EXPECT_EQ(family->golden.at("toy_case").at(0).at("symbols").at("width"), "W");
  EXPECT_EQ(family->golden.at("toy_case").at(0).at("symbols").at("heads"), 2);
  EXPECT_EQ(family->content_hash.size(), 32u);
}

TEST_F(FamilyTest, FilesLieInTheFamilysFolder) {
  for (const std::string name :
       {"../toy.hip", "/toy.hip", "a/../../toy.hip", ".", "''", "kernels/"}) {
    const std::string text = replaced(kFamily, "source: toy.hip", "source: " + name);
    EXPECT_THAT(error_of([&] { family_of(folder_, text); }),
                HasSubstr("no file in the family's folder"))
        << name;
  }
  const auto below =
      family_of(folder_, replaced(kFamily, "source: toy.hip", "source: a/../b/toy.hip"));
  EXPECT_EQ(below->find_implementation("fused")->source, folder_.path() / "toy/b/toy.hip");
}

TEST_F(FamilyTest, NamesThatTheHeaderCannotTellApartAreRefused) {
  const auto error_with = [&](const std::string& old_text, const std::string& new_text) {
    return error_of([&] { family_of(folder_, replaced(kFamily, old_text, new_text)); });
  };
  EXPECT_THAT(error_with("tail: {values: [off, on]}", "tail: {values: [off, on, new, new_]}"),
              AllOf(HasSubstr("new_ in the generated header"), HasSubstr("family.yaml:")));
  EXPECT_THAT(error_with("options:\n", "options:\n  device: {values: [a, b]}\n"),
              HasSubstr("'device' would be device in the generated header"));
}

TEST_F(FamilyTest, CapturedFilesLieThereAsWell) {
  const std::string text = replaced(document("family.yaml"), "reference: toy\n",
                                    "reference: captured\ncaptured: [../x.safetensors]\n");
  EXPECT_THAT(error_of([&] { family_of(folder_, text); }),
              HasSubstr("no file in the family's folder"));
}

TEST_F(FamilyTest, ImplementationsTakeAllAxesUnlessTheySayOtherwise) {
  const auto family = family_of(folder_, kFamily);
  const ImplementationDecl& fused = *family->find_implementation("fused");
  EXPECT_THAT(fused.axes, ElementsAre("block_size", "vector_bytes", "path"));
  EXPECT_EQ(fused.source, folder_.path() / "toy" / "toy.hip");
  const ImplementationDecl& simple = *family->find_implementation("simple");
  EXPECT_THAT(simple.axes, ElementsAre("path"));
  EXPECT_EQ(to_string(simple.fixed), "block_size=128");
  const ImplementationDecl& view = *family->find_implementation("view");
  EXPECT_TRUE(view.axes.empty());
  EXPECT_TRUE(view.source.empty());
}

TEST_F(FamilyTest, FixedAxesAreTakenOutOfAllAxes) {
  const auto family = family_of(folder_, replaced(kFamily, "    axes: [path]\n", ""));
  EXPECT_THAT(family->find_implementation("simple")->axes, ElementsAre("vector_bytes", "path"));
}

TEST_F(FamilyTest, WithoutBaselineTheTunedOneIsComparedWithItself) {
  EXPECT_EQ(family_of(folder_, replaced(kFamily, "role: baseline", "role: alternative"))->baseline,
            "fused");
}

TEST_F(FamilyTest, ErrorsNamePlaceAndNearestName) {
  EXPECT_THAT(error_with("summary:", "sumary:"), AllOf(HasSubstr(":2:1:"), HasSubstr("'summary'")));
  EXPECT_THAT(error_with("width * bytes(act)", "witdh * bytes(act)"),
              AllOf(HasSubstr(":17:"), HasSubstr("did you mean 'width'")));
  EXPECT_THAT(error_with("dtype: act, shape: [width]", "dtype: akt, shape: [width]"),
              AllOf(HasSubstr(":26:"), HasSubstr("did you mean 'act'")));
  EXPECT_THAT(error_with("rows: tokens", "rows: token"), HasSubstr("did you mean 'tokens'"));
  EXPECT_THAT(error_with("axes: [path]", "axes: [pathh]"), HasSubstr("did you mean 'path'"));
  EXPECT_THAT(error_with("[cache, wide, x, valid, eps]", "[cache, wide, x, vaild, eps]"),
              HasSubstr("did you mean 'valid'"));
  EXPECT_THAT(error_with("{x: input}", "{xx: input}"), HasSubstr("unknown tensor 'xx'"));
  EXPECT_THAT(error_with("role: tuned", "role: tune"), HasSubstr("did you mean 'tuned'"));
}

TEST_F(FamilyTest, NothingStaticDependsOnARuntimeSymbol) {
  // Through a derived symbol as well as directly.
  EXPECT_THAT(error_with("- vector_bytes <= align_bytes(x)", "- all_bytes < 1000"),
              HasSubstr("'all_bytes' is known at run time only; a constraint cannot use it"));
  EXPECT_THAT(
      error_with("shape: [tokens, heads, per_head]", "shape: [heads, tokens, per_head]"),
      HasSubstr("'tokens' is known at run time only; a dimension that gives a static stride"));
  EXPECT_THAT(error_with("default: 2", "default: tokens"), HasSubstr("a static symbol's default"));
  EXPECT_THAT(error_with("tile_rows: block_size / 64", "tile_rows: tokens"),
              HasSubstr("tile_rows"));
  EXPECT_THAT(error_with("when: is_wide", "when: tokens > 1"), HasSubstr("a tensor's condition"));
  EXPECT_THAT(error_with("block: [block_size], lds", "block: [64 * tokens], lds"),
              HasSubstr("a block cannot use it"));
  EXPECT_THAT(error_with("when: form == plain", "when: tokens == 1"),
              HasSubstr("an implementation's condition"));
}

TEST_F(FamilyTest, ARuntimeStrideMayBelongToARuntimeWidth) {
  const std::string text = replaced(kFamily, "shape: [tokens, width], row_stride: runtime",
                                    "shape: [3, tokens], row_stride: runtime");
  EXPECT_EQ(family_of(folder_, text)->find_tensor("x")->shape[1].text(), "tokens");
  EXPECT_THAT(error_of([&] {
                family_of(folder_, replaced(text, "shape: [3, tokens]", "shape: [3, 4, tokens]"));
              }),
              HasSubstr("a dimension that gives a static stride"));
}

TEST_F(FamilyTest, FactsOfTheDeviceAppearInLaunchesOnly) {
  EXPECT_THAT(error_with("block_size % WAVE_SIZE == 0", "block_size % CU_COUNT == 0"),
              HasSubstr("'CU_COUNT' is a fact of the device; a constraint cannot use it"));
  EXPECT_THAT(error_with("width % heads == 0", "width <= LDS_BYTES_MAX"),
              HasSubstr("a supports rule cannot use it"));
  EXPECT_THAT(error_with("width % heads == 0", "WAVE_SIZE == 64"),
              HasSubstr("depends on the target"));
}

TEST_F(FamilyTest, AlignmentDecidesNothingThatDecidesAlignment) {
  EXPECT_THAT(error_with("when: is_wide", "when: align_bytes(x) == 16"),
              HasSubstr("depends on the alignment class"));
  EXPECT_THAT(error_with("shape: [width]", "shape: [align_bytes(x)]"),
              HasSubstr("depends on the alignment class"));
  EXPECT_THAT(error_with("when: is_wide", "when: has(y)"), HasSubstr("a tensor's condition"));
}

TEST_F(FamilyTest, NamesAreCheckedWhenDeclared) {
  EXPECT_THAT(error_with("  row_bytes:", "  width:"), HasSubstr("declared as a symbol already"));
  EXPECT_THAT(error_with("  path: {", "  align_path: {"), HasSubstr("cannot begin with align_"));
  EXPECT_THAT(error_with("  path: {", "  Path: {"), HasSubstr("no name for an axis"));
  EXPECT_THAT(error_with("  path: {", "  gcd: {"), HasSubstr("reserved word"));
  EXPECT_THAT(error_with("  eps: {", "  x: {"), HasSubstr("'x' is a tensor already"));
  EXPECT_THAT(error_with("values: [direct, staged]", "values: [direct, direct]"),
              HasSubstr("listed twice"));
  EXPECT_THAT(error_with("values: [direct, staged]", "values: [direct, 1]"),
              HasSubstr("all integers or all words"));
  EXPECT_THAT(error_with("  all_bytes:", "  form_wide:"), HasSubstr("macro FT_FORM_WIDE"));
}

TEST_F(FamilyTest, PartsAreCheckedForTheirMeaning) {
  EXPECT_THAT(error_with("align_bytes: [16, 4]", "align_bytes: [4, 16]"), HasSubstr("largest"));
  EXPECT_THAT(error_with("align_bytes: [16, 4]", "align_bytes: [32]"), HasSubstr("16, 8, 4, 2"));
  EXPECT_THAT(error_with("shape: [width]}", "shape: [width], accept: exact}"),
              HasSubstr("only a tensor that is written"));
  EXPECT_THAT(error_with("same_as: act", "same_as: out"), HasSubstr("dtype declared before"));
  EXPECT_THAT(error_with("range: [32, 1024]", "range: [1024, 32]"), HasSubstr("[least, greatest]"));
  EXPECT_THAT(error_with("fixed: {block_size: 128}", "fixed: {block_size: 2048}"),
              HasSubstr("or 32 to 1024, not 2048"));
  EXPECT_THAT(error_with("fixed: {block_size: 128}", "fixed: {path: direct}"),
              HasSubstr("either varies or is fixed"));
  EXPECT_THAT(error_with("role: baseline", "role: tuned"), HasSubstr("is the tuned one already"));
  EXPECT_THAT(error_with("role: tuned", "role: alternative"), HasSubstr("role: tuned"));
  EXPECT_THAT(error_with("    source: simple.hip\n", ""), HasSubstr("source"));
  EXPECT_THAT(error_with("grid: [tokens], block", "grid: [1, 1, 1, 1], block"),
              HasSubstr("one to three dimensions"));
  EXPECT_THAT(error_with("when: form == plain", "when: width"), HasSubstr("true or false"));
  EXPECT_THAT(error_with("grid: [tokens], block", "grid: [is_wide], block"), HasSubstr("a number"));
  EXPECT_THAT(error_with("{kind: runtime}", "{kind: runtime, when: tail == on}"),
              HasSubstr("the rows symbol is always there"));
  EXPECT_THAT(error_with("  width: {kind: static", "  width: {kind: static, when: tail == on"),
              HasSubstr("always there"));
}

TEST(ShippedFamilies, LoadAndKeepTheRulesOfAllFamilies) {
  const std::vector<std::string> names = family_names();
  ASSERT_THAT(names, ::testing::Contains("split_reshape_cat"));
  for (const std::string& name : names) {
    const auto family = find_family(name);
    EXPECT_EQ(family->name, name);
    EXPECT_NE(family->find_axis("block_size"), nullptr) << name;
    EXPECT_NE(family->find_axis("rows_per_iter"), nullptr) << name;
    EXPECT_NE(family->baseline, family->tuned) << name;
  }
}

TEST(ShippedFamilies, AnUnknownNameListsThem) {
  EXPECT_THAT(error_of([] { find_family("split_reshape_cut"); }),
              HasSubstr("did you mean 'split_reshape_cat'"));
}

}  // namespace
}  // namespace fusetune::test

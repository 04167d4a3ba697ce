#include <gmock/gmock.h>

#include <set>

#include "tests/spec/family_fixture.hpp"

namespace fusetune::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using PairSet = std::set<std::tuple<std::string, std::string, std::string, std::string>>;

/// Pairs of axis values that occur together.
PairSet pairs_in(const std::vector<Variant>& variants) {
  PairSet pairs;
  for (const Variant& variant : variants)
    for (const auto& [name, value] : variant.axes)
      for (const auto& [other_name, other] : variant.axes)
        pairs.insert({name, to_string(value), other_name, to_string(other)});
  return pairs;
}

std::vector<Variant> enumerate(const Geometry& geometry, const char* implementation,
                               const std::string& space, const char* target = "host-w64") {
  return enumerate_variants(geometry, *geometry.family->find_implementation(implementation),
                            parse_target(target), SweepEntry{}, parse_space(space), nullptr);
}

/// The family with the values of its options.
std::string options_of(const Geometry& geometry) {
  std::string text = geometry.family->name;
  for (const OptionDecl& option : geometry.family->options)
    text += "," + to_string(geometry.statics.at(option.name));
  return text;
}

/// A geometry of the shipped families for every set of options that a model has, and for every
/// value of an option.
std::vector<Geometry> shipped_geometries() {
  static const Plan plan = [] {
    Sweep sweep;
    sweep.name = "all";
    for (const std::string& name : family_names()) {
      SweepEntry entry;
      entry.family = find_family(name);
      entry.models = {"all"};
      entry.tokens = {{16, 1.0}};
      sweep.entries.push_back(entry);
      // All combinations would be millions, and every model would take minutes: one option at a
      // time, the others as a model has them. One family takes interleaved checkpoints alone.
      entry.models = {name == "gdn_weight_deinterleave" ? "qwen3-next-80b@tp8" : "qwen3.5-27b@tp8"};
      for (const OptionDecl& option : entry.family->options) {
        entry.options = {{option.name, option.values}};
        sweep.entries.push_back(entry);
      }
    }
    return make_plan(sweep, Models::load_default(), parse_target("host-w64"));
  }();
  std::vector<Geometry> list;
  // Splits and widths change little of a space, and all of them would take minutes.
  std::set<std::string> seen;
  for (const PlannedGeometry& planned : plan.geometries)
    if (seen.insert(options_of(planned.geometry)).second) list.push_back(planned.geometry);
  return list;
}

TEST(Space, ParsesItsForms) {
  EXPECT_EQ(parse_space("full").text(), "full");
  EXPECT_EQ(parse_space("pairwise").text(), "pairwise");
  EXPECT_EQ(parse_space("40").text(), "40");
  for (const char* bad : {"", "0", "-1", "040", "4x", "Full", "99999999999999999999"})
    EXPECT_THAT(error_of([&] { parse_space(bad); }), HasSubstr("is no space")) << bad;
  EXPECT_THAT(error_of([] { parse_space("no", Mark{"a.yaml", 2, 3}); }), HasSubstr("a.yaml:2:3"));
}

TEST(Space, EveryShippedSpaceHasAtMost256Variants) {
  const auto geometries = shipped_geometries();
  ASSERT_GT(geometries.size(), 50u);
  for (const Geometry& geometry : geometries) {
    for (const char* target : {"host-w64", "host-w32"}) {
      std::size_t count = 0;
      for (const ImplementationDecl& implementation : geometry.family->implementations)
        if (!implementation.when || implementation.when->eval_bool(scope_of(geometry)))
          count += enumerate(geometry, implementation.name.c_str(), "full", target).size();
      EXPECT_LE(count, 256u) << geometry.key() << " on " << target;
      EXPECT_GT(count, 1u) << geometry.key() << " on " << target;
    }
  }
}

TEST(Space, PairwiseCoversEveryPairThatOccurs) {
  for (const Geometry& geometry : shipped_geometries()) {
    const auto all = enumerate(geometry, geometry.family->tuned.c_str(), "full");
    const auto some = enumerate(geometry, geometry.family->tuned.c_str(), "pairwise");
    ASSERT_EQ(pairs_in(some), pairs_in(all)) << geometry.key();
    EXPECT_LE(some.size(), 48u) << geometry.key();
    EXPECT_EQ(some.front().axes, all.front().axes) << geometry.key();
  }
}

TEST(Space, PairwiseCoversALoneAxis) {
  const Folder folder;
  const Geometry geometry = make_case(request_of(family_of(folder, kFamily), 64, 1)).geometry;
  EXPECT_EQ(enumerate(geometry, "simple", "pairwise").size(), 2u);
  EXPECT_EQ(enumerate(geometry, "view", "pairwise").size(), 1u);
}

TEST(Space, ANumberIsSpreadEvenlyFromTheFirst) {
  const Folder folder;
  const Geometry geometry = make_case(request_of(family_of(folder, kFamily), 64, 1)).geometry;
  const auto all = enumerate(geometry, "fused", "full");
  ASSERT_EQ(all.size(), 24u);
  const auto four = enumerate(geometry, "fused", "4");
  ASSERT_EQ(four.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(four[i].axes, all[6 * i].axes);
  EXPECT_EQ(enumerate(geometry, "fused", "1").at(0).axes, all[0].axes);
  EXPECT_EQ(enumerate(geometry, "fused", "7").size(), 7u);
  EXPECT_EQ(enumerate(geometry, "fused", "1000").size(), 24u);
}

TEST(Space, WhatIsLeftOutIsPrunedWithTheSpace) {
  const Folder folder;
  const Geometry geometry = make_case(request_of(family_of(folder, kFamily), 64, 1)).geometry;
  std::vector<Pruned> pruned;
  enumerate_variants(geometry, *geometry.family->find_implementation("fused"),
                     parse_target("host-w64"), SweepEntry{}, parse_space("4"), &pruned);
  ASSERT_EQ(pruned.size(), 20u);
  EXPECT_EQ(pruned[0].reason, "not in the space 4");
}

TEST(Space, SimplerVariantsRankLower) {
  const Folder folder;
  const auto family = family_of(folder, kFamily);
  const auto rank = [&](const char* key) {
    return simplicity_rank(*family, parse_variant_key(*family, key));
  };
  EXPECT_THAT(rank("block_size=128,path=staged,vector_bytes=16"), ElementsAre(1, 0, 1));
  // A value from the range alone comes after the listed ones; an axis that is not there before.
  EXPECT_THAT(rank("block_size=96,path=direct,vector_bytes=2"), ElementsAre(3, 3, 0));
  EXPECT_THAT(rank("implementation=view"), ElementsAre(0, 0, 0));
}

TEST(Rows, GoAroundTheTile) {
  const Folder folder;
  const auto family = family_of(folder, kFamily);
  const Geometry geometry = make_case(request_of(family, 64, 1)).geometry;
  const auto rows = [&](const char* key) {
    return adversarial_rows(geometry, parse_variant_key(*family, key), parse_target("host-w64"));
  };
  // tile_rows is block_size / 64 here.
  EXPECT_THAT(rows("block_size=64,path=direct,vector_bytes=2"), ElementsAre(0, 1, 2, 8, 37));
  EXPECT_THAT(rows("block_size=256,path=direct,vector_bytes=2"),
              ElementsAre(0, 1, 3, 4, 5, 17, 37));
  EXPECT_THAT(rows("block_size=1024,path=direct,vector_bytes=2"),
              ElementsAre(0, 1, 15, 16, 17, 53, 59));
  EXPECT_THAT(rows("implementation=simple,path=direct"), ElementsAre(0, 1, 2, 8, 37));
}

TEST(Rows, CasesCombineTheValuesToProve) {
  const Folder folder;
  CaseRequest request = request_of(family_of(folder, kFamily), 64, 8);
  EXPECT_EQ(cases_at_rows(make_case(request), 5).size(), 1u);
  request.statics["tail"] = Enum{"on"};
  request.runtime["valid"] = std::int64_t{7};
  request.row_strides["x"] = 72;
  const auto values = [](const std::vector<Case>& cases) {
    std::vector<std::int64_t> list;
    for (const Case& one : cases) list.push_back(std::get<std::int64_t>(one.runtime.at("valid")));
    return list;
  };
  const auto five = cases_at_rows(make_case(request), 5);
  EXPECT_THAT(values(five), ElementsAre(5, 2, 0));
  EXPECT_EQ(five[0].rows(), 5);
  EXPECT_EQ(five[0].row_strides.at("x"), 72);
  EXPECT_EQ(five[0].geometry.key(), make_case(request).geometry.key());
  // The case's own value is proved at the case's own rows; equal values once.
  EXPECT_THAT(values(cases_at_rows(make_case(request), 8)), ElementsAre(8, 4, 0, 7));
  EXPECT_THAT(values(cases_at_rows(make_case(request), 0)), ElementsAre(0));
}

TEST(Rows, StridesFollowARuntimeWidth) {
  const Folder folder;
  const std::string text = replaced(kFamily, "shape: [tokens, width], row_stride: runtime",
                                    "shape: [3, tokens], row_stride: runtime");
  CaseRequest request = request_of(family_of(folder, text), 64, 8);
  const Case which = make_case(request);
  EXPECT_EQ(which.geometry.align_bytes.at("x"), 16);
  // Dense rows of 5 elements would lose the class that the code was compiled for.
  EXPECT_EQ(cases_at_rows(which, 5).at(0).row_strides.at("x"), 8);
  EXPECT_EQ(cases_at_rows(which, 24).at(0).row_strides.at("x"), 24);
  EXPECT_EQ(cases_at_rows(which, 25).at(0).row_strides.at("x"), 32);
}

}  // namespace
}  // namespace fusetune::test

// What the shipped families make of models, and how large the grids of their baselines are.
#include <gmock/gmock.h>

#include "harness/spec/models.hpp"
#include "tests/spec/family_fixture.hpp"

namespace fusetune::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Sections that no default gives.
const char* const kUnevenSections = R"(
models:
  uneven:
    source: made up
    tp: [1]
    attributes: {q_heads: 4, kv_heads: 2, head_dim: 64, rotary_dim: 64, attn_output_gate: off,
                 norm_weight: plain, mrope: sectioned, mrope_time: 16, mrope_height: 12, mrope_width: 4}
)";

TEST(ShippedFamilies, SectionsOfMropeAreThoseOfTheModel) {
  const Folder folder;
  const Models models = Models::load(folder.write("models.yaml", kUnevenSections));
  for (const char* family : {"mrope", "qk_norm_rope_cache"}) {
    SweepEntry entry;
    entry.family = find_family(family);
    entry.models = {"uneven"};
    entry.tokens = {{1, 1.0}};
    Sweep sweep;
    sweep.name = "sections";
    sweep.entries = {entry};
    for (const PlannedGeometry& planned :
         make_plan(sweep, models, parse_target("host-w64")).geometries) {
      const Bindings& statics = planned.geometry.statics;
      EXPECT_EQ(statics.at("mrope_time"), Value(std::int64_t{16})) << family;
      EXPECT_EQ(statics.at("mrope_height"), Value(std::int64_t{12})) << family;
      EXPECT_EQ(statics.at("mrope_width"), Value(std::int64_t{4})) << family;
    }
  }
}

/// Blocks of each launch of the baseline, where a wave is 64 lanes.
std::vector<std::int64_t> baseline_blocks(const char* case_key) {
  const Case which = parse_case_key(case_key);
  const Variant variant = parse_variant_key(*which.geometry.family, "implementation=unfused");
  std::vector<std::int64_t> blocks;
  for (const Launch& launch : launches_of(which, variant, parse_target("host-w64"), {}))
    blocks.push_back(launch.grid[0]);
  return blocks;
}

TEST(ShippedFamilies, BaselinesHaveNoMoreBlocksThanWork) {
  // Rows of 128 in 2 bytes are 8 lanes of two chunks: a block of 256 threads has 32 heads.
  EXPECT_THAT(baseline_blocks("qk_norm_rope_cache(hk=2,hq=8,tokens=16)"),
              ElementsAre(4, 1, 4, 1, 2));
  // Heads of 128 are 16 chunks: a block has 16 of them, for the norm, the gate and the scales.
  EXPECT_THAT(baseline_blocks("rmsnorm_gated(heads=8,quant=group,tokens=10)"),
              ElementsAre(5, 5, 5));
  EXPECT_THAT(baseline_blocks("rmsnorm_gated(heads=8,norm_before_gate=off,tokens=10)"),
              ElementsAre(5, 5));
  // A row is whole blocks' work, a group of 128 that of 16 threads.
  EXPECT_THAT(baseline_blocks("rmsnorm_gemma(quant=group,tokens=10,width=4096)"),
              ElementsAre(10, 20));
}

TEST(ShippedFamilies, OffsetsWithinABlockOfTheCacheHave32Bits) {
  const auto error = [](const std::string& page_size) {
    return error_of([&] {
      parse_case_key("qk_norm_rope_cache(head_dim=1024,hk=8,hq=8,page_size=" + page_size +
                     ",tokens=1)");
    });
  };
  EXPECT_EQ(error("65535"), "no error");
  EXPECT_THAT(error("65536"), HasSubstr("offsets within a block of the cache have 32 bits"));
}

}  // namespace
}  // namespace fusetune::test

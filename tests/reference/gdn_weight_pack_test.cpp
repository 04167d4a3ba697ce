// The reference of gdn_weight_pack: numbers worked out by hand, and ranks that together hold every
// row.
#include <gtest/gtest.h>

#include <algorithm>

#include "gdn_weights.hpp"

namespace fusetune::reference::testing {
namespace {

Values rows_of(const Values& values, std::int64_t first, std::int64_t count, std::int64_t width) {
  return {values.begin() + first * width, values.begin() + (first + count) * width};
}

TEST(GdnWeightPack, NamesRows) {
  Layer layer;
  layer.ranks = 2;
  layer.rank = 1;
  layer.hv = 3;
  layer.columns = 2;
  Words options = layer.options();
  options["checkpoint"] = "split";
  Weights weights(options, layer.symbols());
  add_rows(weights, layer, "", layer.head_rows() - layer.last_rows(), {});
  add_rows(weights, layer, "_second", layer.last_rows(), {});
  add_result(weights, layer, true);
  EXPECT_EQ(weights.describe(kPack, "w", (8 + 7 * 3 + 1) * 2), "v of head 7, row 1, column 0");
  EXPECT_EQ(weights.describe(kPack, "w_second", (7 * 3 + 1) * 2), "z of head 7, row 1, column 0");
  EXPECT_EQ(weights.describe(kPack, "w_out", (4 + 12 + 3 * 3 + 1) * 2),
            "z of head 7, row 1, column 0");
}

TEST(GdnWeightPack, PackedRowsByHand) {
  Layer layer = second_of_two_ranks();
  layer.hv = 2;
  const ScaledRows in{{0, 1, 10, 11, 20, 21, 22, 23, 30, 31, 32, 33}, {}};  // q k v z of two heads
  EXPECT_EQ(pack(layer, in).weights, (Values{1, 11, 22, 23, 32, 33}));
  layer.rank = 0;
  EXPECT_EQ(pack(layer, in).weights, (Values{0, 10, 20, 21, 30, 31}));
}

TEST(GdnWeightPack, SplitTensorsWithAScaleEach) {
  Layer layer = second_of_two_ranks();
  layer.scale_kind = "tensor";
  EXPECT_EQ(pack(layer, {{0, 1, 10, 11, 20, 21}, {7}}, {{30, 31}, {8}}),
            (ScaledRows{{1, 11, 21, 31}, {7, 7, 7, 8}}));
  layer.projection = "ba";
  EXPECT_EQ(pack(layer, {{0, 1}, {7}}, {{10, 11}, {8}}), (ScaledRows{{1, 11}, {7, 8}}));
}

TEST(GdnWeightPack, PackedAndSplitAreOne) {
  for (Layer layer : layers())
    for (const char* projection : {"qkvz", "ba"}) {
      if (layer.scale_kind == "block" && projection != std::string("qkvz")) continue;
      layer.projection = projection;
      const ScaledRows in = layer.numbered();
      const std::int64_t heads = layer.ranks * layer.nk;
      const std::int64_t all = heads * layer.head_rows();
      const std::int64_t last = heads * layer.last_rows();
      const auto cut = [&](std::int64_t first, std::int64_t count) {
        ScaledRows part{rows_of(in.weights, first, count, layer.row_elements()), in.scales};
        if (layer.scale_kind != "none" && layer.scale_kind != "tensor")
          part.scales =
              rows_of(in.scales, first / layer.unit(), count / layer.unit(), layer.scale_columns());
        return part;
      };
      for (layer.rank = 0; layer.rank < layer.ranks; ++layer.rank)
        EXPECT_EQ(pack(layer, in), pack(layer, cut(0, all - last), cut(all - last, last)))
            << projection << " " << layer.scale_kind << " rank " << layer.rank;
    }
}

TEST(GdnWeightPack, RanksTogetherHaveEveryRowOnce) {
  for (Layer layer : layers()) {
    const ScaledRows in = layer.numbered();
    Values seen;
    for (layer.rank = 0; layer.rank < layer.ranks; ++layer.rank) {
      const Values share = pack(layer, in).weights;
      seen.insert(seen.end(), share.begin(), share.end());
    }
    std::sort(seen.begin(), seen.end());
    EXPECT_EQ(seen, in.weights);
  }
}

TEST(GdnWeightPack, ASecondPassChangesNothing) {
  Layer layer;
  layer.nk = 2;
  layer.ranks = 2;
  layer.rank = 1;
  const ScaledRows once = pack(layer, layer.numbered());
  ScaledRows given = once;
  given.weights.resize(2 * given.weights.size(), -7);  // memory of the size that was asked for
  layer.mark = 1;
  EXPECT_EQ(pack(layer, given), once);
  layer.mark = 0;
  EXPECT_NE(pack(layer, given), once);
}

TEST(GdnWeightPack, EveryPartHasTheInputScaleOfItsTensor) {
  for (const bool is_split : {false, true}) {
    const Layer layer;
    Words options = layer.options();
    options["checkpoint"] = is_split ? "split" : "packed";
    Weights weights(options, layer.symbols());
    add_rows(weights, layer, "", layer.head_rows() - (is_split ? layer.last_rows() : 0), {});
    if (is_split) add_rows(weights, layer, "_second", layer.last_rows(), {});
    add_result(weights, layer, true);
    weights.add("input_scale", 4, {1}, {7});
    weights.add("input_scale_second", 4, {1}, {8});
    weights.add("input_scale_out", 4, {4});
    weights.compute(kPack);
    EXPECT_EQ(weights.get("input_scale_out"), (Values{7, 7, 7, is_split ? 8 : 7}));
  }
}

}  // namespace
}  // namespace fusetune::reference::testing

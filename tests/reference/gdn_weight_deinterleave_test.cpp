// The reference of gdn_weight_deinterleave: numbers worked out by hand, and the properties that a
// load-time permutation must have.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "gdn_weights.hpp"

namespace fusetune::reference::testing {
namespace {

TEST(GdnWeightDeinterleave, QkvzByHand) {
  const ScaledRows in{{0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15}, {}};  // q k v v z z of two heads
  EXPECT_EQ(deinterleave(Layer{}, in).weights, (Values{0, 10, 1, 11, 2, 3, 12, 13, 4, 5, 14, 15}));
}

TEST(GdnWeightDeinterleave, BaIsPerHeadAndNotEvenAndOdd) {
  Layer layer;
  layer.projection = "ba";
  const ScaledRows in{{0, 1, 2, 3, 10, 11, 12, 13}, {}};  // b b a a of two heads
  EXPECT_EQ(deinterleave(layer, in).weights, (Values{0, 1, 10, 11, 2, 3, 12, 13}));
}

TEST(GdnWeightDeinterleave, OneMergedMatrixAndTheSecondOfTwoRanks) {
  Layer layer = second_of_two_ranks();
  layer.projection = "qkvzba";
  layer.columns = 2;
  // q k v z of two heads, then b a of both; two columns.
  const ScaledRows in{
      {0, 0, 1, 0, 2, 0, 3, 0, 10, 9, 11, 8, 12, 7, 13, 6, 4, 0, 5, 0, 14, 5, 15, 4}, {}};
  EXPECT_EQ(deinterleave(layer, in).weights, (Values{10, 9, 11, 8, 12, 7, 13, 6, 14, 5, 15, 4}));
}

TEST(GdnWeightDeinterleave, BlockScalesByHand) {
  Layer layer;
  layer.scale_kind = "block";
  layer.ratio = 1;
  layer.hk = 256;
  layer.hv = 128;
  layer.columns = 129;
  ScaledRows in = layer.numbered();
  in.scales = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
               20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
  EXPECT_EQ(deinterleave(layer, in).scales, (Values{0,  1,  2,  3, 20, 21, 22, 23, 4,  5,  6, 7, 24,
                                                    25, 26, 27, 8, 9,  28, 29, 10, 11, 30, 31}));
}

TEST(GdnWeightDeinterleave, AScaleOfTheTensorStaysOrIsRepeated) {
  Layer layer;
  layer.scale_kind = "tensor";
  ScaledRows in = layer.numbered();
  in.scales = {77};
  EXPECT_EQ(deinterleave(layer, in).scales, Values{77});
  layer.tensor_scale = "per_part";
  EXPECT_EQ(deinterleave(layer, in).scales, (Values{77, 77, 77, 77}));
  layer.projection = "ba";
  in = layer.numbered();
  in.scales = {78};
  EXPECT_EQ(deinterleave(layer, in).scales, (Values{78, 78}));
}

TEST(GdnWeightDeinterleave, IsABijectionAndRoundTrips) {
  for (const Layer& layer : layers())
    for (const char* projection : {"qkvz", "ba", "qkvzba"}) {
      if (layer.scale_kind == "block" && projection != std::string("qkvz")) continue;
      Layer one = layer;
      one.projection = projection;
      one.ranks = 1;
      const ScaledRows in = one.numbered();
      const ScaledRows out = deinterleave(one, in);
      // Of rows that are their own numbers it gives the permutation; others follow the same one.
      ScaledRows other = in;
      for (std::int64_t& weight : other.weights) weight = weight * weight % 1009;
      const Values moved = deinterleave(one, other).weights;
      Values restored(moved.size(), -1);
      for (std::size_t i = 0; i < moved.size(); ++i)
        restored.at(static_cast<std::size_t>(out.weights[i])) = moved[i];
      EXPECT_EQ(restored, other.weights);
      Values sorted = out.scales;
      std::sort(sorted.begin(), sorted.end());
      EXPECT_EQ(sorted, in.scales);
    }
}

/// x @ W^T, exact in doubles and in fp32 for small whole numbers.
std::vector<float> project(const Values& x, const Values& w, std::int64_t columns) {
  std::vector<float> y;
  for (std::size_t t = 0; t < x.size(); t += static_cast<std::size_t>(columns))
    for (std::size_t r = 0; r < w.size(); r += static_cast<std::size_t>(columns)) {
      std::int64_t sum = 0;
      for (std::int64_t c = 0; c < columns; ++c)
        sum += x[t + static_cast<std::size_t>(c)] * w[r + static_cast<std::size_t>(c)];
      y.push_back(static_cast<float>(sum));
    }
  return y;
}

Values bits_of(const std::vector<float>& values) {
  Values bits;
  for (const float value : values) {
    std::uint32_t word = 0;
    std::memcpy(&word, &value, sizeof word);
    bits.push_back(word);
  }
  return bits;
}

/// What split_reshape_cat makes of rows of that layout: mixed_qkv, z, b and a.
std::vector<Values> split(const Layer& layer, const char* layout, std::int64_t tokens,
                          const std::vector<float>& qkvz, const std::vector<float>& ba) {
  const std::int64_t nv = layer.nk * layer.ratio;
  const std::int64_t z = nv * layer.hv;
  const std::int64_t qkv = 2 * layer.nk * layer.hk + z;
  Weights rows(
      {{"layout", layout}},
      {{"tokens", tokens}, {"nk", layer.nk}, {"nv", nv}, {"hk", layer.hk}, {"hv", layer.hv}});
  rows.add("qkvz", 4, {tokens, qkv + z}, bits_of(qkvz));
  rows.add("ba", 4, {tokens, 2 * nv}, bits_of(ba));
  rows.add("mixed_qkv", 4, {tokens, qkv});
  rows.add("z", 4, {tokens, z});
  rows.add("b", 4, {tokens, nv});
  rows.add("a", 4, {tokens, nv});
  rows.compute("split_reshape_cat");
  return {rows.get("mixed_qkv"), rows.get("z"), rows.get("b"), rows.get("a")};
}

TEST(GdnWeightDeinterleave, MakesTheSplitOfProjectionsContiguous) {
  for (const std::int64_t ratio : {1, 2, 3, 4}) {
    Layer qkvz;
    qkvz.ratio = ratio;
    qkvz.hk = 2;
    qkvz.hv = 3;
    qkvz.nk = 3;
    qkvz.columns = 4;
    Layer ba = qkvz;
    ba.projection = "ba";
    const Values x{3, -1, 2, 5, -4, 7, 1, -2};  // two tokens
    const ScaledRows wide = qkvz.numbered(1);
    const ScaledRows narrow = ba.numbered(1000);
    const auto interleaved =
        split(qkvz, "interleaved", 2, project(x, wide.weights, 4), project(x, narrow.weights, 4));
    const auto contiguous =
        split(qkvz, "contiguous", 2, project(x, deinterleave(qkvz, wide).weights, 4),
              project(x, deinterleave(ba, narrow).weights, 4));
    EXPECT_EQ(interleaved, contiguous) << "ratio " << ratio;
    EXPECT_NE(interleaved, split(qkvz, "contiguous", 2, project(x, wide.weights, 4),
                                 project(x, narrow.weights, 4)));
  }
}

/// Numbers times their scales. An MXFP4 element is a half of a byte, its scale an exponent.
Values dequantised(const Layer& layer, const ScaledRows& matrix) {
  const std::int64_t width = layer.columns;
  const std::int64_t rows = static_cast<std::int64_t>(matrix.weights.size()) / layer.row_elements();
  Values all;
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < width; ++c) {
      const std::int64_t group = layer.scale_kind == "block"   ? c / 128
                                 : layer.scale_kind == "mxfp4" ? c / 32
                                                               : 0;
      const std::int64_t scale_row = layer.scale_kind == "tensor" ? 0 : r / layer.unit();
      const std::int64_t scale =
          matrix.scales.at(static_cast<std::size_t>(scale_row * layer.scale_columns() + group));
      if (layer.scale_kind == "mxfp4") {
        const std::int64_t byte =
            matrix.weights.at(static_cast<std::size_t>(r * layer.row_elements() + c / 2));
        all.push_back((byte >> (c % 2 * 4) & 15) << (scale % 16));
      } else {
        all.push_back(matrix.weights.at(static_cast<std::size_t>(r * width + c)) * scale);
      }
    }
  return all;
}

TEST(GdnWeightDeinterleave, CommutesWithDequantisation) {
  for (Layer layer : layers()) {
    if (layer.scale_kind == "none") continue;
    for (layer.rank = 0; layer.rank < layer.ranks; ++layer.rank) {
      ScaledRows in = layer.numbered();
      for (std::int64_t& weight : in.weights) weight = (weight * 37 + 11) % 251;
      Layer plain = layer;
      plain.scale_kind = "none";
      const ScaledRows late = deinterleave(plain, {dequantised(layer, in), {}});
      EXPECT_EQ(late.weights,
                [&] {
                  Values low = dequantised(layer, deinterleave(layer, in));
                  for (std::int64_t& value : low) value &= 0xffffffff;
                  return low;
                }())
          << layer.scale_kind << " ratio " << layer.ratio << " rank " << layer.rank;
    }
  }
}

TEST(GdnWeightDeinterleave, ShardsFirstOrLast) {
  for (Layer layer : layers())
    for (const char* projection : {"qkvz", "ba"}) {
      if (layer.scale_kind == "block" && projection != std::string("qkvz")) continue;
      layer.projection = projection;
      layer.tensor_scale = "per_part";
      const ScaledRows in = layer.numbered();
      Layer whole = layer;
      whole.nk = layer.nk * layer.ranks;
      whole.ranks = 1;
      whole.rank = 0;
      whole.tensor_scale = "one";
      const ScaledRows contiguous = deinterleave(whole, in);
      for (layer.rank = 0; layer.rank < layer.ranks; ++layer.rank)
        EXPECT_EQ(deinterleave(layer, in), pack(layer, contiguous))
            << projection << " " << layer.scale_kind << " rank " << layer.rank;
    }
}

TEST(GdnWeightDeinterleave, ASecondPassIsSeenAndChangesNothing) {
  Layer layer;
  layer.scale_kind = "channel";
  layer.nk = 3;
  const ScaledRows in = layer.numbered();
  const ScaledRows once = deinterleave(layer, in, &layer.mark);
  EXPECT_EQ(layer.mark, 1);
  EXPECT_NE(once, in);
  const ScaledRows twice = deinterleave(layer, once, &layer.mark);
  EXPECT_EQ(layer.mark, 2) << "more than one pass was asked for";
  EXPECT_EQ(twice, once);
  layer.mark = 0;
  EXPECT_NE(deinterleave(layer, once), once) << "without the mark it would be scrambled";
}

/// An e4m3fn checkpoint read as e4m3fnuz: -0 would be NaN, and every code is worth half.
ScaledRows as_fnuz(ScaledRows matrix) {
  for (std::int64_t& code : matrix.weights)
    if (code == 0x80) code = 0;
  for (std::int64_t& scale : matrix.scales) scale *= 2;
  return matrix;
}

TEST(GdnWeightDeinterleave, CommutesWithTheChangeToFnuz) {
  for (const Layer& layer : layers()) {
    ScaledRows in = layer.numbered();
    for (std::int64_t& code : in.weights) code = code % 3 == 0 ? 0x80 : code % 256;
    ASSERT_NE(as_fnuz(in), in);
    EXPECT_EQ(as_fnuz(deinterleave(layer, in)), deinterleave(layer, as_fnuz(in)));
  }
}

TEST(GdnWeightDeinterleave, NamesRows) {
  Layer layer;
  layer.ranks = 2;
  layer.rank = 1;
  layer.hv = 3;
  layer.columns = 2;
  Weights weights(layer.options(), layer.symbols());
  add_rows(weights, layer, "", layer.head_rows(), layer.numbered());
  add_result(weights, layer, false);
  // Head 3 of 4 is the second of the last rank; its second v head is the eighth.
  EXPECT_EQ(weights.describe(kDeinterleave, "w", ((3 * 14) + 2 + 3 + 1) * 2 + 1),
            "v of head 7, row 1, column 1");
  EXPECT_EQ(weights.describe(kDeinterleave, "w_out", (4 + 3 * 3 + 1) * 2),
            "v of head 7, row 1, column 0");
}

}  // namespace
}  // namespace fusetune::reference::testing

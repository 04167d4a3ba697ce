// The references of gdn_weight_deinterleave and gdn_weight_pack: numbers worked out by hand, and
// the properties that a load-time permutation must have.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <numeric>

#include "reference/reference.hpp"

namespace fusetune::reference::testing {
namespace {

using Values = std::vector<std::int64_t>;
using Words = std::map<std::string, std::string>;

/// A Problem of tensors of whole numbers, each in the bytes of its element. Rows of matrices have
/// one element of padding.
class Weights {
 public:
  Weights(Words options, std::map<std::string, std::int64_t> symbols) {
    problem_.options = std::move(options);
    problem_.symbols = std::move(symbols);
  }
  Weights(const Weights&) = delete;
  Weights& operator=(const Weights&) = delete;

  void add(const std::string& name, std::int64_t element_bytes, std::vector<std::int64_t> dims,
           const Values& values = {}) {
    Tensor& tensor = problem_.tensors[name];
    tensor.element_bytes = element_bytes;
    tensor.dims = std::move(dims);
    tensor.row_stride = tensor.dims.size() == 1 ? 1 : tensor.dims[1] + 1;
    storage_.emplace_back(
        static_cast<std::size_t>(tensor.dims[0] * tensor.row_stride * element_bytes),
        std::byte{0x5a});
    tensor.data = storage_.back().data();
    for (std::size_t i = 0; i < values.size(); ++i)
      std::memcpy(at(tensor, i), &values[i], static_cast<std::size_t>(element_bytes));
  }
  Values get(const std::string& name) const {
    const Tensor& tensor = problem_.tensors.at(name);
    Values values(static_cast<std::size_t>(std::accumulate(tensor.dims.begin(), tensor.dims.end(),
                                                           std::int64_t{1}, std::multiplies<>())));
    for (std::size_t i = 0; i < values.size(); ++i)
      std::memcpy(&values[i], at(tensor, i), static_cast<std::size_t>(tensor.element_bytes));
    return values;
  }
  void compute(const char* reference) { find(reference)->compute(problem_); }
  /// As reports ask for it: by shapes alone.
  std::string describe(const char* reference, const std::string& tensor, std::int64_t index) {
    Problem shapes = problem_;
    for (auto& [name, one] : shapes.tensors) one.data = nullptr;
    return find(reference)->describe(shapes, tensor, index);
  }

 private:
  static std::byte* at(const Tensor& tensor, std::size_t index) {
    const auto i = static_cast<std::int64_t>(index);
    const std::int64_t width = tensor.dims.size() == 1 ? 1 : tensor.dims[1];
    return tensor.data + (i / width * tensor.row_stride + i % width) * tensor.element_bytes;
  }

  Problem problem_;
  std::deque<std::vector<std::byte>> storage_;
};

constexpr const char* kDeinterleave = "gdn_weight_deinterleave";
constexpr const char* kPack = "gdn_weight_pack";

/// Rows of numbers with their scales.
struct Matrix {
  Values weights;
  Values scales;
  bool operator==(const Matrix&) const = default;
};

struct Layer {
  std::string projection = "qkvz", scale_kind = "none", tensor_scale = "one";
  std::int64_t nk = 2, ratio = 2, hk = 1, hv = 1, columns = 1, ranks = 1, rank = 0;
  std::int64_t mark = 0;

  std::int64_t v() const { return ratio * hv; }
  std::int64_t head_rows() const {
    return (projection == "ba" ? 0 : 2 * hk + 2 * v()) + (projection == "qkvz" ? 0 : 2 * ratio);
  }
  std::int64_t last_rows() const { return projection == "qkvz" ? v() : ratio; }
  std::int64_t parts() const { return projection == "qkvz" ? 4 : projection == "ba" ? 2 : 6; }
  std::int64_t unit() const { return scale_kind == "block" ? 128 : 1; }
  std::int64_t row_elements() const { return scale_kind == "mxfp4" ? columns / 2 : columns; }
  std::int64_t scale_columns() const {
    return scale_kind == "block" ? (columns + 127) / 128 : scale_kind == "mxfp4" ? columns / 32 : 1;
  }
  std::int64_t scale_rows(std::int64_t heads, std::int64_t rows) const {
    return scale_kind == "tensor" ? 1 : heads * rows / unit();
  }
  Words options() const {
    return {{"projection", projection}, {"scale_kind", scale_kind}, {"tensor_scale", tensor_scale}};
  }
  std::map<std::string, std::int64_t> symbols() const {
    return {{"nk", nk},       {"ratio", ratio}, {"hk", hk},          {"hv", hv},
            {"ranks", ranks}, {"rank", rank},   {"columns", columns}};
  }
  /// Every element with a number of its own, from `start` on.
  Matrix numbered(std::int64_t start = 0) const {
    Matrix matrix;
    matrix.weights.resize(static_cast<std::size_t>(ranks * nk * head_rows() * row_elements()));
    std::iota(matrix.weights.begin(), matrix.weights.end(), start);
    if (scale_kind == "none") return matrix;
    matrix.scales.resize(
        static_cast<std::size_t>(scale_rows(ranks * nk, head_rows()) * scale_columns()));
    std::iota(matrix.scales.begin(), matrix.scales.end(), start + 1);
    return matrix;
  }
};

void add_result(Weights& weights, const Layer& layer, bool per_part) {
  weights.add("mark", 4, {1}, {layer.mark});
  weights.add("mark_out", 4, {1});
  weights.add("w_out", 4, {layer.nk * layer.head_rows(), layer.row_elements()});
  if (layer.scale_kind == "none") return;
  const bool whole = layer.scale_kind == "tensor";
  const std::int64_t rows =
      whole ? per_part ? layer.parts() : 1 : layer.scale_rows(layer.nk, layer.head_rows());
  weights.add("scale_out", 4, {rows, layer.scale_columns()});
}

Matrix result_of(const Weights& weights, const Layer& layer) {
  return {weights.get("w_out"), layer.scale_kind == "none" ? Values{} : weights.get("scale_out")};
}

void add_rows(Weights& weights, const Layer& layer, const std::string& suffix, std::int64_t rows,
              const Matrix& matrix) {
  const std::int64_t heads = layer.ranks * layer.nk;
  weights.add("w" + suffix, 4, {heads * rows, layer.row_elements()}, matrix.weights);
  if (layer.scale_kind != "none")
    weights.add("scale" + suffix, 4, {layer.scale_rows(heads, rows), layer.scale_columns()},
                matrix.scales);
}

Matrix deinterleave(const Layer& layer, const Matrix& checkpoint, std::int64_t* mark = nullptr) {
  Weights weights(layer.options(), layer.symbols());
  add_rows(weights, layer, "", layer.head_rows(), checkpoint);
  add_result(weights, layer, layer.tensor_scale == "per_part");
  weights.compute(kDeinterleave);
  if (mark != nullptr) *mark = weights.get("mark_out").at(0);
  return result_of(weights, layer);
}

Matrix pack(const Layer& layer, const Matrix& checkpoint) {
  Words options = layer.options();
  options["checkpoint"] = "packed";
  Weights packed(options, layer.symbols());
  add_rows(packed, layer, "", layer.head_rows(), checkpoint);
  add_result(packed, layer, true);
  packed.compute(kPack);
  return result_of(packed, layer);
}

Matrix pack(const Layer& layer, const Matrix& first, const Matrix& second) {
  Words options = layer.options();
  options["checkpoint"] = "split";
  Weights split(options, layer.symbols());
  add_rows(split, layer, "", layer.head_rows() - layer.last_rows(), first);
  add_rows(split, layer, "_second", layer.last_rows(), second);
  add_result(split, layer, true);
  split.compute(kPack);
  return result_of(split, layer);
}

/// Shapes with every head ratio in use; block scales need heads of 128 rows.
std::vector<Layer> layers() {
  std::vector<Layer> all;
  for (const char* kind : {"none", "tensor", "channel", "block", "mxfp4"})
    for (const std::int64_t ratio : {1, 2, 3, 4})
      for (const std::int64_t ranks : {1, 2, 4}) {
        if (kind == std::string("block") && (ratio == 2 || ranks == 4)) continue;  // large
        Layer layer;
        layer.scale_kind = kind;
        layer.ratio = ratio;
        layer.ranks = ranks;
        layer.nk = ranks == 4 ? 1 : 3;
        layer.hk = layer.unit() == 128 ? 256 : 3;
        if (layer.unit() == 128) layer.nk = ranks == 1 ? 2 : 1;
        layer.hv = layer.unit() == 128 ? 128 : 5;
        layer.columns = layer.scale_kind == "mxfp4" ? 64 : layer.unit() == 128 ? 130 : 2;
        all.push_back(layer);
      }
  return all;
}

Values rows_of(const Values& values, std::int64_t first, std::int64_t count, std::int64_t width) {
  return {values.begin() + first * width, values.begin() + (first + count) * width};
}

TEST(GdnWeightDeinterleave, QkvzByHand) {
  const Matrix in{{0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15}, {}};  // q k v v z z of two heads
  EXPECT_EQ(deinterleave(Layer{}, in).weights, (Values{0, 10, 1, 11, 2, 3, 12, 13, 4, 5, 14, 15}));
}

TEST(GdnWeightDeinterleave, BaIsPerHeadAndNotEvenAndOdd) {
  Layer layer;
  layer.projection = "ba";
  const Matrix in{{0, 1, 2, 3, 10, 11, 12, 13}, {}};  // b b a a of two heads
  EXPECT_EQ(deinterleave(layer, in).weights, (Values{0, 1, 10, 11, 2, 3, 12, 13}));
}

TEST(GdnWeightDeinterleave, OneMergedMatrixAndTheSecondOfTwoRanks) {
  Layer layer;
  layer.projection = "qkvzba";
  layer.nk = 1;
  layer.ratio = 1;
  layer.ranks = 2;
  layer.rank = 1;
  layer.columns = 2;
  // q k v z of two heads, then b a of both; two columns.
  const Matrix in{{0, 0, 1, 0, 2, 0, 3, 0, 10, 9, 11, 8, 12, 7, 13, 6, 4, 0, 5, 0, 14, 5, 15, 4},
                  {}};
  EXPECT_EQ(deinterleave(layer, in).weights, (Values{10, 9, 11, 8, 12, 7, 13, 6, 14, 5, 15, 4}));
}

TEST(GdnWeightDeinterleave, BlockScalesByHand) {
  Layer layer;
  layer.scale_kind = "block";
  layer.ratio = 1;
  layer.hk = 256;
  layer.hv = 128;
  layer.columns = 129;
  Matrix in = layer.numbered();
  in.scales = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
               20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
  EXPECT_EQ(deinterleave(layer, in).scales, (Values{0,  1,  2,  3, 20, 21, 22, 23, 4,  5,  6, 7, 24,
                                                    25, 26, 27, 8, 9,  28, 29, 10, 11, 30, 31}));
}

TEST(GdnWeightDeinterleave, AScaleOfTheTensorStaysOrIsRepeated) {
  Layer layer;
  layer.scale_kind = "tensor";
  Matrix in = layer.numbered();
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
      const Matrix in = one.numbered();
      const Matrix out = deinterleave(one, in);
      // Of rows that are their own numbers it gives the permutation; others follow the same one.
      Matrix other = in;
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
    const Matrix wide = qkvz.numbered(1);
    const Matrix narrow = ba.numbered(1000);
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
Values dequantised(const Layer& layer, const Matrix& matrix) {
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
      Matrix in = layer.numbered();
      for (std::int64_t& weight : in.weights) weight = (weight * 37 + 11) % 251;
      Layer plain = layer;
      plain.scale_kind = "none";
      const Matrix late = deinterleave(plain, {dequantised(layer, in), {}});
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
      const Matrix in = layer.numbered();
      Layer whole = layer;
      whole.nk = layer.nk * layer.ranks;
      whole.ranks = 1;
      whole.rank = 0;
      whole.tensor_scale = "one";
      const Matrix contiguous = deinterleave(whole, in);
      for (layer.rank = 0; layer.rank < layer.ranks; ++layer.rank)
        EXPECT_EQ(deinterleave(layer, in), pack(layer, contiguous))
            << projection << " " << layer.scale_kind << " rank " << layer.rank;
    }
}

TEST(GdnWeightDeinterleave, ASecondPassIsSeenAndChangesNothing) {
  Layer layer;
  layer.scale_kind = "channel";
  layer.nk = 3;
  const Matrix in = layer.numbered();
  const Matrix once = deinterleave(layer, in, &layer.mark);
  EXPECT_EQ(layer.mark, 1);
  EXPECT_NE(once, in);
  const Matrix twice = deinterleave(layer, once, &layer.mark);
  EXPECT_EQ(layer.mark, 2) << "more than one pass was asked for";
  EXPECT_EQ(twice, once);
  layer.mark = 0;
  EXPECT_NE(deinterleave(layer, once), once) << "without the mark it would be scrambled";
}

/// An e4m3fn checkpoint read as e4m3fnuz: -0 would be NaN, and every code is worth half.
Matrix as_fnuz(Matrix matrix) {
  for (std::int64_t& code : matrix.weights)
    if (code == 0x80) code = 0;
  for (std::int64_t& scale : matrix.scales) scale *= 2;
  return matrix;
}

TEST(GdnWeightDeinterleave, CommutesWithTheChangeToFnuz) {
  for (const Layer& layer : layers()) {
    Matrix in = layer.numbered();
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
  Layer layer;
  layer.nk = 1;
  layer.ratio = 1;
  layer.ranks = 2;
  layer.rank = 1;
  layer.hv = 2;
  const Matrix in{{0, 1, 10, 11, 20, 21, 22, 23, 30, 31, 32, 33}, {}};  // q k v z of two heads
  EXPECT_EQ(pack(layer, in).weights, (Values{1, 11, 22, 23, 32, 33}));
  layer.rank = 0;
  EXPECT_EQ(pack(layer, in).weights, (Values{0, 10, 20, 21, 30, 31}));
}

TEST(GdnWeightPack, SplitTensorsWithAScaleEach) {
  Layer layer;
  layer.nk = 1;
  layer.ratio = 1;
  layer.ranks = 2;
  layer.rank = 1;
  layer.scale_kind = "tensor";
  EXPECT_EQ(pack(layer, {{0, 1, 10, 11, 20, 21}, {7}}, {{30, 31}, {8}}),
            (Matrix{{1, 11, 21, 31}, {7, 7, 7, 8}}));
  layer.projection = "ba";
  EXPECT_EQ(pack(layer, {{0, 1}, {7}}, {{10, 11}, {8}}), (Matrix{{1, 11}, {7, 8}}));
}

TEST(GdnWeightPack, PackedAndSplitAreOne) {
  for (Layer layer : layers())
    for (const char* projection : {"qkvz", "ba"}) {
      if (layer.scale_kind == "block" && projection != std::string("qkvz")) continue;
      layer.projection = projection;
      const Matrix in = layer.numbered();
      const std::int64_t heads = layer.ranks * layer.nk;
      const std::int64_t all = heads * layer.head_rows();
      const std::int64_t last = heads * layer.last_rows();
      const auto cut = [&](std::int64_t first, std::int64_t count) {
        Matrix part{rows_of(in.weights, first, count, layer.row_elements()), in.scales};
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
    const Matrix in = layer.numbered();
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
  const Matrix once = pack(layer, layer.numbered());
  Matrix given = once;
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

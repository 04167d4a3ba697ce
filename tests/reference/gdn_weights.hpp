#pragma once
// Weights of the projections of a layer as whole numbers, run through the references of
// gdn_weight_deinterleave and gdn_weight_pack.

#include <cstring>
#include <deque>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "reference/reference.hpp"

namespace fusetune::reference::testing {

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

inline constexpr const char* kDeinterleave = "gdn_weight_deinterleave";
inline constexpr const char* kPack = "gdn_weight_pack";

/// Rows of numbers with their scales.
struct ScaledRows {
  Values weights;
  Values scales;
  bool operator==(const ScaledRows&) const = default;
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
  ScaledRows numbered(std::int64_t start = 0) const {
    ScaledRows matrix;
    matrix.weights.resize(static_cast<std::size_t>(ranks * nk * head_rows() * row_elements()));
    std::iota(matrix.weights.begin(), matrix.weights.end(), start);
    if (scale_kind == "none") return matrix;
    matrix.scales.resize(
        static_cast<std::size_t>(scale_rows(ranks * nk, head_rows()) * scale_columns()));
    std::iota(matrix.scales.begin(), matrix.scales.end(), start + 1);
    return matrix;
  }
};

/// One head of each kind on either rank.
inline Layer second_of_two_ranks() {
  Layer layer;
  layer.nk = layer.ratio = layer.rank = 1;
  layer.ranks = 2;
  return layer;
}

inline void add_result(Weights& weights, const Layer& layer, bool per_part) {
  weights.add("mark", 4, {1}, {layer.mark});
  weights.add("mark_out", 4, {1});
  weights.add("w_out", 4, {layer.nk * layer.head_rows(), layer.row_elements()});
  if (layer.scale_kind == "none") return;
  const bool whole = layer.scale_kind == "tensor";
  const std::int64_t rows =
      whole ? per_part ? layer.parts() : 1 : layer.scale_rows(layer.nk, layer.head_rows());
  weights.add("scale_out", 4, {rows, layer.scale_columns()});
}

inline ScaledRows result_of(const Weights& weights, const Layer& layer) {
  return {weights.get("w_out"), layer.scale_kind == "none" ? Values{} : weights.get("scale_out")};
}

inline void add_rows(Weights& weights, const Layer& layer, const std::string& suffix,
                     std::int64_t rows, const ScaledRows& matrix) {
  const std::int64_t heads = layer.ranks * layer.nk;
  weights.add("w" + suffix, 4, {heads * rows, layer.row_elements()}, matrix.weights);
  if (layer.scale_kind != "none")
    weights.add("scale" + suffix, 4, {layer.scale_rows(heads, rows), layer.scale_columns()},
                matrix.scales);
}

inline ScaledRows deinterleave(const Layer& layer, const ScaledRows& checkpoint,
                               std::int64_t* mark = nullptr) {
  Weights weights(layer.options(), layer.symbols());
  add_rows(weights, layer, "", layer.head_rows(), checkpoint);
  add_result(weights, layer, layer.tensor_scale == "per_part");
  weights.compute(kDeinterleave);
  if (mark != nullptr) *mark = weights.get("mark_out").at(0);
  return result_of(weights, layer);
}

inline ScaledRows pack(const Layer& layer, const ScaledRows& checkpoint) {
  Words options = layer.options();
  options["checkpoint"] = "packed";
  Weights packed(options, layer.symbols());
  add_rows(packed, layer, "", layer.head_rows(), checkpoint);
  add_result(packed, layer, true);
  packed.compute(kPack);
  return result_of(packed, layer);
}

inline ScaledRows pack(const Layer& layer, const ScaledRows& first, const ScaledRows& second) {
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
inline std::vector<Layer> layers() {
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

}  // namespace fusetune::reference::testing

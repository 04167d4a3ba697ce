// The reference of mrope: heads as matrices, one row per token, times the angles of their tokens.

#include <cstring>
#include <stdexcept>

#include "reference/families.hpp"
#include "reference/rope.hpp"

namespace fusetune::reference {

namespace {

/// Where one head begins in every row of a tensor [tokens, heads, columns].
struct HeadView {
  Tensor tensor;
  std::int64_t first = 0;  ///< column of the row

  HeadView(const Tensor& rows, std::int64_t head, std::int64_t width) : tensor(rows) {
    first = head * rows.dims.at(2);
    tensor.data += first * rows.element_bytes;
    tensor.dims = {rows.dims.at(0), width};
  }
};

/// Columns that are only moved keep their bytes, whatever they stand for.
void copy_columns(const Tensor& from, const Tensor& to, std::int64_t first) {
  const auto bytes = static_cast<std::size_t>((to.dims.at(1) - first) * to.element_bytes);
  for (std::int64_t row = 0; row < to.dims.at(0); ++row)
    std::memmove(to.data + (row * to.row_stride + first) * to.element_bytes,
                 from.data + (row * from.row_stride + first) * from.element_bytes, bytes);
}

/// The truth of a tensor whose heads are rotated one after another.
struct Result {
  Rotated all;
  std::int64_t rotary_dim = 0;

  Result(const Tensor& to, std::int64_t rotary) : rotary_dim(rotary) {
    // What is updated in place keeps what no head covers.
    all.value = read(to);
    all.magnitude = all.value.abs();
  }
  void add(const HeadView& head, const Rotated& rotated) {
    all.value.middleCols(head.first, rotated.value.cols()) = rotated.value;
    all.magnitude.middleCols(head.first, rotated.value.cols()) = rotated.magnitude;
  }
  void tell(const Tensor& to, Truth* truth) const {
    state(truth, all.value, all.magnitude);
    if (truth == nullptr) return;
    truth->copied.clear();
    for (std::int64_t index = 0; index < all.value.size(); ++index)
      truth->copied.push_back(index % to.dims.at(2) >= rotary_dim);
  }
};

void rotate_heads(const Problem& p, const Angles& angles, const std::string& from_name,
                  const std::string& to_name) {
  const Tensor &from = p.tensor(from_name), &to = p.tensor(to_name);
  const std::int64_t rotary = p.symbol("rotary_dim"), width = p.symbol("head_dim");
  Rotation rotation;
  rotation.neox = p.option("pairs") == "neox";
  if (p.option("product_rounding") == "on")
    rotation.product_type = p.tensor(p.has("cos_sin") ? "cos_sin" : "cos").dtype;
  Result result(to, rotary);
  for (std::int64_t head = 0; head < from.dims.at(1); ++head) {
    const HeadView source(from, head, width), target(to, head, width);
    const Rotated rotated = rotate(read(source.tensor), angles, rotation);
    copy_columns(source.tensor, target.tensor, rotary);
    Tensor first = target.tensor;
    first.dims.at(1) = rotary;
    write(first, rotated.value.leftCols(rotary));
    result.add(target, rotated);
  }
  result.tell(to, p.truth(to_name));
}

void compute(const Problem& p) {
  const std::int64_t half = p.symbol("rotary_dim") / 2;
  const bool text = p.option("mrope") == "none";
  const auto axes =
      axes_of(p.option("mrope"),
              {p.symbol("mrope_time"), p.symbol("mrope_height"), p.symbol("mrope_width")}, half);
  const Angles angles = gather(
      read_table(p, half), read_positions(p.tensor(text ? "positions" : "positions_thw")), axes);
  const bool in_place = p.option("in_place") == "on";
  rotate_heads(p, angles,
               in_place     ? "q_inout"
               : p.has("q") ? "q"
                            : "q_gate",
               in_place ? "q_inout" : "q_out");
  rotate_heads(p, angles, in_place ? "k_inout" : "k", in_place ? "k_inout" : "k_out");
}

std::string describe(const Problem& p, const std::string& name, std::int64_t index) {
  const Tensor& tensor = p.tensor(name);
  if (name == "positions") return "position of token " + std::to_string(index);
  if (name == "positions_thw") {
    const char* axes[] = {"time", "height", "width"};
    return std::string(axes[index / tensor.dims.at(1)]) + " of token " +
           std::to_string(index % tensor.dims.at(1));
  }
  if (tensor.dims.size() == 2)
    return name + " of position " + std::to_string(index / tensor.dims.at(1)) + ", column " +
           std::to_string(index % tensor.dims.at(1));
  const std::int64_t columns = tensor.dims.at(2), heads = tensor.dims.at(1);
  std::int64_t column = index % columns;
  const bool gate = column >= p.symbol("head_dim");
  if (gate) column -= p.symbol("head_dim");
  return name + " of token " + std::to_string(index / columns / heads) + ", head " +
         std::to_string(index / columns % heads) + (gate ? ", gate element " : ", element ") +
         std::to_string(column);
}

}  // namespace

Reference mrope() { return {compute, describe}; }

}  // namespace fusetune::reference

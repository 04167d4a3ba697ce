// The reference of mrope: heads as matrices, one row per token, times the angles of their tokens.

#include <stdexcept>

#include "reference/byte_rows.hpp"
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

/// The truth of a tensor whose heads are rotated one after another.
struct Result {
  Terms all;
  std::int64_t rotary_dim = 0;

  Result(const Tensor& to, std::int64_t rotary) : rotary_dim(rotary) {
    // What is updated in place keeps what no head covers.
    const Matrix held = read(to);
    all = sums(held, held.abs());
  }
  void tell(const Tensor& to, Truth* truth) const {
    state(truth, all.value, all.magnitude);
    Mask copied(all.value.rows(), all.value.cols());
    for (std::int64_t column = 0; column < copied.cols(); ++column)
      copied.col(column) = column % to.dims.at(2) >= rotary_dim;
    state_copied(truth, copied);
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
    const Terms rotated = rotate(read(source.tensor), angles, rotation);
    // Columns that are only moved keep their bytes, whatever they stand for.
    const std::int64_t rest = (width - rotary) * target.tensor.element_bytes;
    byte_rows(target.tensor).rightCols(rest) = byte_rows(source.tensor).rightCols(rest);
    Tensor first = target.tensor;
    first.dims.at(1) = rotary;
    write(first, rotated.value.leftCols(rotary));
    result.all.set(target.first, rotated);
  }
  result.tell(to, p.truth(to_name));
}

void compute(const Problem& p) {
  const std::int64_t half = p.symbol("rotary_dim") / 2;
  const bool text = p.option("mrope") == "none";
  const auto axes =
      axes_of(p.option("mrope"),
              {p.symbol("mrope_time"), p.symbol("mrope_height"), p.symbol("mrope_width")}, half);
  const Angles angles =
      read_angles(p, read_positions(p.tensor(text ? "positions" : "positions_thw")), axes);
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

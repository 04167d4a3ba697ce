// The reference of gdn_weight_deinterleave, head by head in block operations: a k head's rows are a
// block of the interleaved matrix, whose sub-blocks are placed in the parts of the result.

#include "reference/families.hpp"
#include "reference/gdn_weights.hpp"

namespace fusetune::reference {

namespace {

using Parts = std::vector<WeightPart>;

/// The interleaved matrices that a projection's rows consist of, one behind the other.
std::vector<Parts> matrices(const Problem& p, std::int64_t unit) {
  const std::string& projection = p.option("projection");
  std::vector<Parts> all;
  if (projection != "ba") all.push_back(qkvz_parts(p, unit));
  if (projection != "qkvz") all.push_back(ba_parts(p));
  return all;
}

template <class From, class To>
void deinterleave(const Parts& parts, std::int64_t heads, const From& from, To to) {
  const std::int64_t group = rows_of(parts);
  for (std::int64_t head = 0; head < heads; ++head) {
    auto left = from.middleRows(head * group, group);
    std::int64_t taken = 0;
    std::int64_t placed = 0;
    for (const WeightPart& part : parts) {
      to.middleRows(placed + head * part.rows, part.rows) = left.middleRows(taken, part.rows);
      taken += part.rows;
      placed += heads * part.rows;
    }
  }
}

/// The rank's heads of every matrix.
void move_rows(const Problem& p, const Tensor& in, const Tensor& out, std::int64_t unit) {
  const std::int64_t heads = p.symbol("nk");
  const ByteRows from = byte_rows(in);
  ByteRows to = byte_rows(out);
  if (is_marked(p)) {
    to = from.topRows(to.rows());
    return;
  }
  std::int64_t first_in = 0;
  std::int64_t first_out = 0;
  for (const Parts& parts : matrices(p, unit)) {
    const std::int64_t rows = heads * rows_of(parts);
    deinterleave(parts, heads, from.middleRows(first_in + p.symbol("rank") * rows, rows),
                 to.middleRows(first_out, rows));
    first_in += p.symbol("ranks") * rows;
    first_out += rows;
  }
}

void compute(const Problem& p) {
  move_rows(p, p.tensor("w"), p.tensor("w_out"), 1);
  if (p.has("scale")) {
    if (p.option("scale_kind") == "tensor") {
      ByteRows to = byte_rows(p.tensor("scale_out"));
      to.rowwise() = byte_rows(p.tensor("scale")).row(0);
    } else {
      move_rows(p, p.tensor("scale"), p.tensor("scale_out"), rows_per_scale(p));
    }
  }
  if (p.has("input_scale"))
    byte_rows(p.tensor("input_scale_out")) = byte_rows(p.tensor("input_scale"));
  count_pass(p);
}

std::string describe(const Problem& p, const std::string& name, std::int64_t index) {
  const Tensor& tensor = p.tensor(name);
  if (tensor.dims.size() == 1 || p.symbol("nk") == 0) return name + " " + std::to_string(index);
  if (name.rfind("scale", 0) == 0 && p.option("scale_kind") == "tensor")
    return name + " of part " + std::to_string(index);
  const bool is_input = name.find("_out") == std::string::npos;
  const std::int64_t row = index / tensor.dims.at(1);
  const std::int64_t column = index % tensor.dims.at(1);
  const std::int64_t unit = name.rfind("scale", 0) == 0 ? rows_per_scale(p) : 1;
  const std::string what = unit == 1 && name[0] == 'w' ? "" : "scale of ";
  std::int64_t left = row;
  for (const Parts& parts : matrices(p, unit)) {
    const std::int64_t group = rows_of(parts);
    const std::int64_t heads = p.symbol("nk") * (is_input ? p.symbol("ranks") : 1);
    const std::int64_t first = is_input ? 0 : p.symbol("nk") * p.symbol("rank");
    if (left >= heads * group) {
      left -= heads * group;
      continue;
    }
    if (!is_input) return what + part_word(parts, heads, first, left, column);
    return what + part_word(parts, 1, left / group, left % group, column);
  }
  return name + " row " + std::to_string(row);
}

}  // namespace

Reference gdn_weight_deinterleave() { return {compute, describe}; }

}  // namespace fusetune::reference

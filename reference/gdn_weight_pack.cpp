// The reference of gdn_weight_pack: every part of a checkpoint is cut out whole, the rank's share
// is cut out of the part, and the shares are stacked.

#include "reference/families.hpp"
#include "reference/gdn_weights.hpp"

namespace fusetune::reference {

namespace {

using Parts = std::vector<WeightPart>;

Parts parts_of(const Problem& p, std::int64_t unit) {
  return p.option("projection") == "qkvz" ? qkvz_parts(p, unit) : ba_parts(p);
}

/// How many parts the first tensor of a checkpoint holds; a second one has the last part.
std::size_t parts_of_first(const Problem& p, const Parts& parts) {
  return p.option("checkpoint") == "split" ? parts.size() - 1 : parts.size();
}

void move_rows(const Problem& p, const std::string& name, std::int64_t unit) {
  const bool marked = is_marked(p);
  const std::int64_t ranks = marked ? 1 : p.symbol("ranks");
  const std::int64_t rank = marked ? 0 : p.symbol("rank");
  const Parts parts = parts_of(p, unit);
  ByteRows to = byte_rows(p.tensor(name + "_out"));
  std::int64_t first_in = 0;
  std::int64_t first_out = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool second = i >= parts_of_first(p, parts);
    if (i == parts_of_first(p, parts)) first_in = 0;
    const ByteRows from = byte_rows(p.tensor(second ? name + "_second" : name));
    const std::int64_t share = p.symbol("nk") * parts[i].rows;
    const auto part = from.middleRows(first_in, ranks * share);
    to.middleRows(first_out, share) = part.middleRows(rank * share, share);
    first_in += ranks * share;
    first_out += share;
  }
}

/// One value per part, of the tensor that the part came from.
void repeat_values(const Problem& p, const std::string& name) {
  const Parts parts = parts_of(p, 1);
  ByteRows to = byte_rows(p.tensor(name + "_out"));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool second = i >= parts_of_first(p, parts);
    to.row(static_cast<Eigen::Index>(i)) =
        byte_rows(p.tensor(second ? name + "_second" : name)).row(0);
  }
}

void compute(const Problem& p) {
  move_rows(p, "w", 1);
  if (p.has("scale")) {
    if (p.option("scale_kind") == "tensor")
      repeat_values(p, "scale");
    else
      move_rows(p, "scale", rows_per_scale(p));
  }
  if (p.has("input_scale")) repeat_values(p, "input_scale");
  count_pass(p);
}

std::string describe(const Problem& p, const std::string& name, std::int64_t index) {
  const Tensor& tensor = p.tensor(name);
  if (tensor.dims.size() == 1 || p.symbol("nk") == 0) return name + " " + std::to_string(index);
  const bool of_scale = name.rfind("scale", 0) == 0;
  if (of_scale && p.option("scale_kind") == "tensor")
    return name + " of part " + std::to_string(index);
  Parts parts = parts_of(p, of_scale ? rows_per_scale(p) : 1);
  const bool is_input = name.find("_out") == std::string::npos;
  if (is_input) {
    const auto split = parts.begin() + static_cast<std::ptrdiff_t>(parts_of_first(p, parts));
    if (name.find("_second") == std::string::npos)
      parts.erase(split, parts.end());
    else
      parts.erase(parts.begin(), split);
  }
  const std::int64_t heads = p.symbol("nk") * (is_input ? p.symbol("ranks") : 1);
  const std::int64_t first = is_input ? 0 : p.symbol("nk") * p.symbol("rank");
  return (of_scale ? "scale of " : "") +
         part_word(parts, heads, first, index / tensor.dims.at(1), index % tensor.dims.at(1));
}

}  // namespace

Reference gdn_weight_pack() { return {compute, describe}; }

}  // namespace fusetune::reference

#include "reference/gdn_weights.hpp"

#include <cstring>

namespace fusetune::reference {

std::int64_t rows_per_scale(const Problem& p) {
  return p.option("scale_kind") == "block" ? 128 : 1;
}

std::vector<WeightPart> qkvz_parts(const Problem& p, std::int64_t unit) {
  const std::int64_t hk = p.symbol("hk") / unit;
  const std::int64_t hv = p.symbol("hv") / unit;
  const std::int64_t v = p.symbol("ratio") * hv;
  return {{'q', hk, hk}, {'k', hk, hk}, {'v', v, hv}, {'z', v, hv}};
}

std::vector<WeightPart> ba_parts(const Problem& p) {
  const std::int64_t ratio = p.symbol("ratio");
  return {{'b', ratio, 1}, {'a', ratio, 1}};
}

std::int64_t rows_of(const std::vector<WeightPart>& parts) {
  std::int64_t rows = 0;
  for (const WeightPart& part : parts) rows += part.rows;
  return rows;
}

namespace {

std::int32_t mark_of(const Problem& p) {
  std::int32_t mark = 0;
  std::memcpy(&mark, p.tensor("mark").data, sizeof mark);
  return mark;
}

}  // namespace

bool is_marked(const Problem& p) { return mark_of(p) != 0; }

void count_pass(const Problem& p) {
  const std::int32_t mark = mark_of(p) + 1;
  std::memcpy(p.tensor("mark_out").data, &mark, sizeof mark);
}

std::string part_word(const std::vector<WeightPart>& parts, std::int64_t heads,
                      std::int64_t first_head, std::int64_t row, std::int64_t column) {
  for (const WeightPart& part : parts) {
    if (row < part.rows * heads) {
      const std::int64_t head = first_head * (part.rows / part.head_rows) + row / part.head_rows;
      return std::string(1, part.name) + " of head " + std::to_string(head) + ", row " +
             std::to_string(row % part.head_rows) + ", column " + std::to_string(column);
    }
    row -= part.rows * heads;
  }
  return "row " + std::to_string(row) + " behind the last part";
}

}  // namespace fusetune::reference

#pragma once
// What both references of the Gated Delta Net's weights know: their parts, scales and mark.

#include <string>
#include <vector>

#include "reference/byte_rows.hpp"

namespace fusetune::reference {

/// Rows of one part (q, k, v, z, b or a) that belong to one k head.
struct WeightPart {
  char name;
  std::int64_t rows;
  std::int64_t head_rows;  ///< of one of its own heads
};

/// A row of a scale stands for so many rows of weights.
std::int64_t rows_per_scale(const Problem& p);

/// The parts of in_proj_qkvz: q, k, v, z; each row stands for `unit` rows of weights.
std::vector<WeightPart> qkvz_parts(const Problem& p, std::int64_t unit);
/// Of in_proj_ba: b, a.
std::vector<WeightPart> ba_parts(const Problem& p);

std::int64_t rows_of(const std::vector<WeightPart>& parts);

/// Whether the weight has been through such a pass: nothing is moved then.
bool is_marked(const Problem& p);
/// mark_out: one more than mark.
void count_pass(const Problem& p);

/// "q of head 3, row 5, column 7", of a matrix [part 0 | part 1 | ...] of `heads` k heads, of which
/// the first has the number `first_head`.
std::string part_word(const std::vector<WeightPart>& parts, std::int64_t heads,
                      std::int64_t first_head, std::int64_t row, std::int64_t column);

}  // namespace fusetune::reference

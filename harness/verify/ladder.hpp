#pragma once
// The comparison ladder: one output against its truth, by the rules that its family declares. Every
// rule is "pass iff metric <= limit" with metrics that start at infinity, so that a NaN fails.

#include <cstdint>
#include <string>
#include <vector>

#include "harness/spec/geometry.hpp"
#include "harness/verify/images.hpp"
#include "harness/verify/proof.hpp"
#include "reference/reference.hpp"

namespace fusetune {

/// An Accept with its expressions evaluated for a case.
struct Limits {
  bool exact = true;
  double ulp = -1;                  ///< below 0: no such rule
  bool bound = false;               ///< of codes it widens the interval instead
  double accumulated_roundoff = 0;  ///< factor * growth(terms) * 2^-24: times S
  bool code = false;
  std::int64_t norm_block = 0;  ///< elements per block, 0: no such rule
  double norm_limit = 0;        ///< relative L2
  double cosine_min = -1;       ///< -1: no such rule
  double norm_ratio = 0;
  std::string text;  ///< "ulp <= 1 and norms per row <= 0.009"
};
/// `cosine_min` is a sweep's own demand, or -1.
Limits limits_of(const Case& which, const TensorDecl& tensor, double cosine_min = -1);

/// The relative L2 error of perfect rounding: an error is uniform in half a spacing to both sides,
/// so its deviation is spacing / sqrt(12) = 2^e * u / sqrt(3), and a number of that spacing is 2^e
/// at least. Blocks of numbers spread over their binades come to some 0.7 of it. 0 for integers,
/// whose rounding has no relative size.
double norm_floor(DType dtype);

/// One wrong element.
struct LadderMismatch {
  std::int64_t index = 0;
  std::string text;  ///< "is 1.5 (0x3fc0), the truth is 1.25: 64 ulp, limit 1"
};

struct ElementRange {
  std::int64_t begin = 0, end = 0;
};

struct LadderResult {
  OutputMetrics metrics;   ///< `worst` is left to who can name elements
  std::string worst_text;  ///< as of a mismatch, for metrics.worst_index
  double worst_share = 0;  ///< of the limit, of that element
  std::int64_t mismatch_count = 0;
  std::vector<LadderMismatch> mismatches;  ///< the first eight
  /// Of rules over blocks or the whole output: "row 3: relative L2 0.4, limit 0.0067". The first
  /// eight.
  std::vector<std::string> broken_rules;
  std::int64_t broken_rule_count = 0;
  std::int64_t rules_over_blocks = 0;       ///< that were tested: blocks, and rules of the whole
  std::vector<ElementRange> broken_blocks;  ///< where, for the mismatch map
  std::vector<bool> wrong;                  ///< per element, by element rules alone

  bool passed() const { return mismatch_count == 0 && broken_rule_count == 0; }
};

/// `expected` is the reference's own rounded output: where the truth is empty, or `limits.exact`,
/// bytes are compared with it. Classes of elements come first: a finite number in the place of an
/// infinity or NaN, or the reverse, is a mismatch whatever the rule. `scales` are those of codes:
/// where they are powers of two, dividing by them is exact, so ties must go to even; nullptr where
/// codes stand for themselves. Throws std::runtime_error for a truth of another size.
LadderResult climb(const Limits& limits, const TensorImage& actual, const TensorImage& expected,
                   const reference::Truth& truth, const TensorImage* scales = nullptr);

/// What climb() says of one element, be it wrong or not.
std::string judgement(const Limits& limits, const TensorImage& actual, const TensorImage& expected,
                      const reference::Truth& truth, std::int64_t index,
                      const TensorImage* scales = nullptr);

/// Rows of '.' and '#', at most 16 x 64: element (r, c) of a matrix of `row_elements` columns falls
/// into one tile; '#' where any of it is wrong.
std::string mismatch_map(const std::vector<bool>& wrong, std::int64_t row_elements);

}  // namespace fusetune

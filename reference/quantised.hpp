#pragma once
// fp8 codes with a scale per group of columns, as the norms give them.

#include <string>

#include "reference/terms.hpp"

namespace fusetune::reference {

struct Quantisation {
  std::int64_t group = 0;  ///< columns that share a scale
  std::string floor;       ///< as family.yaml names it
  bool ue8m0 = false;      ///< scales are powers of two, but for a floor that comes later
  bool transposed = false;
  double error = 0;  ///< what rows that are computed in fp32 may be off by, of their magnitudes
};

/// Writes and states the codes `q`, in units of their scales, and the scales.
void quantise(const Problem& p, const Quantisation& how, const Terms& rows);

}  // namespace fusetune::reference

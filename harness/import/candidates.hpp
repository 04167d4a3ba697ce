#pragma once
// What imported records are good for here: they name variants that are worth a race of our own.

#include <cstdint>
#include <string>
#include <vector>

#include "harness/import/imported_file.hpp"
#include "harness/spec/geometry.hpp"

namespace fusetune {

struct Candidates {
  std::vector<Variant> variants;  ///< of the tuned implementation, no two alike
  std::int64_t strangers = 0;     ///< records whose parameters are not those of the family
};

/// Of the records that are variants of the family at most so many: the fastest of each problem,
/// then the second of each. Where none has a time, the first of the file.
Candidates candidates_of(const ImportedFile& file, const Family& family, std::size_t most);

/// A sweep that races these, and nothing else beside the baseline, for one case. Throws UserError
/// where there is none, or a sweep cannot say the case.
std::string candidate_sweep(const Candidates& candidates, const Case& which,
                            const std::string& device, const ImportedFile& from);

}  // namespace fusetune

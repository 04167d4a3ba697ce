#pragma once
// What the rounds of a search did.

#include <cstdint>

namespace fusetune {

struct SearchWork {
  std::int64_t rounds = 0;
  std::int64_t compiled = 0, proved = 0, traced = 0;
  std::int64_t measured = 0;  ///< batches of a case
  std::int64_t reused = 0;    ///< batches of a case whose times were found in the store
};

}  // namespace fusetune

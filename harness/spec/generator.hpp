#pragma once
// How an input is filled. Values are a function of (seed, tensor, element, pass).

#include <cstdint>
#include <string>
#include <vector>

namespace fusetune {

/// Values that careless kernels get wrong; each is a pass of its own.
enum class Edge {
  zeros,       ///< +0 and -0 mixed
  equal,       ///< every element of a row the same
  wide,        ///< exponents from 2^-20 to 2^20
  denormals,   ///< of the type
  huge,        ///< +-2^40 and above where squares still fit fp32; the type's maximum below that
  infinities,  ///< one +inf and one -inf in different rows
  nan,         ///< one NaN in one row
  outlier,     ///< one element of 1e4 per row
  cancel,      ///< pairs x, -x: sums vanish
  offset,      ///< mean 100, deviation 1: E[x^2] - E[x]^2 loses everything
};

struct Generator {
  enum class Kind {
    bits,     ///< every bit of the element's number, over several passes: for data movement
    normal,   ///< `mean`, `stddev`; rows scaled by 2^(5 r mod 8), so that no row stands for another
    uniform,  ///< `low` to `high`; integers include both ends
    named,    ///< a function of the registry of verify/: slot mappings, positions
  };
  Kind kind = Kind::bits;
  double mean = 0, stddev = 1;
  double low = 0, high = 1;
  bool scale_rows = true;   ///< of `normal`
  std::string name;         ///< of `named`
  std::vector<Edge> edges;  ///< passes in which this tensor holds them; others then keep `kind`
};

}  // namespace fusetune

#pragma once
// How an input is filled. Values are a function of (seed, tensor, element, pass, call).

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/spec/expr.hpp"

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

std::string_view to_string(Edge edge);
const std::vector<Edge>& all_edges();
/// What a `normal` tensor of a float type is proved on unless it lists its own: no overflow, no
/// special values, and no offset, because what those should give is the operation's to say.
const std::vector<Edge>& default_edges();

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
  bool scale_rows = true;     ///< of `normal`
  std::string name;           ///< of `named`
  std::optional<Expr> below;  ///< of `named`: the values lie in 0 up to, not including, this
  std::vector<Edge> edges;    ///< passes in which this tensor holds them; others then keep `kind`
};

/// A generator of the registry in verify/named_generators.hpp, as far as a family must know it.
struct NamedGenerator {
  std::string name;
  bool has_below = false;    ///< it needs `below`; the others take none
  bool gives_slots = false;  ///< its values are places of a cache, none of them twice
};
const std::vector<NamedGenerator>& named_generators();
/// The one with this name, which must be there.
const NamedGenerator& named_generator(std::string_view name);

}  // namespace fusetune

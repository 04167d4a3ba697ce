#pragma once
// The shapes that the benchmarks share.

#include <fmt/format.h>

#include <string>

#include "harness/spec/geometry.hpp"

namespace fusetune::bench {

/// A geometry with one of its variants.
struct Subject {
  std::string family, statics, variant_key;

  Geometry geometry() const { return at_rows(1).geometry; }
  Variant variant() const { return parse_variant_key(*find_family(family), variant_key); }
  Case at_rows(std::int64_t rows) const {
    return parse_case_key(
        fmt::format("{}({},{}={})", family, statics, find_family(family)->rows, rows));
  }
};

inline Subject split() {
  return {"split_reshape_cat", "layout=interleaved,nk=2,nv=6",
          "block_size=256,mapping=row,nontemporal=off,persistent=off,rows_per_iter=1,"
          "vector_bytes=16"};
}

inline Subject norm() {
  return {"rmsnorm_gemma", "width=5120,residual=on",
          "block_size=256,persistent=off,row_cache=registers,rows_per_iter=1,vector_bytes=16"};
}

}  // namespace fusetune::bench

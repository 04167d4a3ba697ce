#pragma once
// The shapes that the benchmarks share.

#include "harness/spec/geometry.hpp"

namespace fusetune::bench {

inline const char* const kGeometry =
    "split_reshape_cat(act=bf16,ba=bf16,hk=128,hv=128,layout=interleaved,nk=2,nv=6,zero_fill=off)";
inline const char* const kVariant =
    "block_size=256,mapping=row,nontemporal=off,persistent=off,rows_per_iter=1,vector_bytes=16";

inline Geometry geometry() { return parse_geometry_key(kGeometry); }
inline Variant variant() { return parse_variant_key(*find_family("split_reshape_cat"), kVariant); }

/// The geometry's case with so many tokens.
inline Case at_tokens(std::int64_t tokens) {
  return parse_case_key(
      "split_reshape_cat(layout=interleaved,nk=2,nv=6,tokens=" + std::to_string(tokens) + ")");
}

}  // namespace fusetune::bench

#include "harness/spec/keys.hpp"

namespace fusetune {

const KeyLists& family_keys() {
  static const KeyLists lists = {
      {"family",
       {"family", "summary", "rows", "symbols", "options", "dtypes", "derived", "tensors",
        "scalars", "axes", "constraints", "supports", "independent_rows", "implementations",
        "reference", "captured", "proof_calls", "golden"}},
      {"symbol", {"kind", "when", "default", "from_model", "prove"}},
      {"option", {"values", "when", "from_model"}},
      {"dtype", {"values", "same_as"}},
      {"tensor",
       {"role", "dtype", "shape", "row_stride", "align_bytes", "when", "generator", "accept",
        "may_alias", "touched_read", "touched_write"}},
      {"generator", {"normal", "uniform", "named", "below", "edges"}},
      {"normal", {"mean", "stddev", "scale_rows"}},
      {"uniform", {"low", "high"}},
      {"accept", {"ulp", "bound", "code", "norms", "norm_factor", "cosine", "norm_ratio"}},
      {"bound", {"terms", "growth", "factor"}},
      {"code", {"scale"}},
      {"scalar", {"type", "default"}},
      {"axis", {"values", "range"}},
      {"rule", {"rule", "reason"}},
      {"implementation",
       {"role", "source", "axes", "fixed", "launches", "when", "tile_rows", "workspace_bytes",
        "note"}},
      {"launch", {"entry", "grid", "block", "lds_bytes", "arguments", "when"}},
      {"golden",
       {"when", "words", "options", "options_from", "symbols", "tensors", "truths", "tables",
        "filled", "filled_bits", "dtypes", "dtypes_from", "scalars"}},
  };
  return lists;
}

const KeyLists& sweep_keys() {
  // The entry's remaining key is the family's rows symbol.
  static const KeyLists lists = {
      {"sweep",
       {"sweep", "device", "also_compile", "space", "include", "families", "search", "measure"}},
      {"entry",
       {"family", "models", "symbols", "options", "dtypes", "runtime", "strides",
        "base_align_bytes", "scalars", "cosine", "batch_invariant", "axes", "filter", "require",
        "implementations", "space"}},
      {"rule", {"rule", "reason"}},
      {"search", {"strategy", "evaluations", "seed"}},
      {"measure", {"data", "budget_s", "probe_cutoff"}},
  };
  return lists;
}

const KeyLists& models_keys() {
  static const KeyLists lists = {
      {"file", {"models"}},
      {"model", {"aliases", "source", "verified", "tp", "attributes"}},
  };
  return lists;
}

}  // namespace fusetune

#pragma once
// One factory per family, each in a file of its own; reference.cpp lists them under the names that
// family.yaml uses.

#include "reference/reference.hpp"

namespace fusetune::reference {

Reference qk_norm_rope_cache();
Reference rmsnorm_gated();
Reference gdn_weight_deinterleave();
Reference gdn_weight_pack();
Reference mrope();
Reference rmsnorm_gemma();
Reference split_reshape_cat();
Reference staged_rows();

}  // namespace fusetune::reference

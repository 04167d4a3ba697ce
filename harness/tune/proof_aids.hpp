#pragma once
// What a worker keeps from proof to proof on one device.

#include <memory>

#include "harness/verify/digest_exchange.hpp"
#include "harness/verify/proof_cache.hpp"

namespace fusetune {

struct ProofAids {
  ProofCache cache;
  std::unique_ptr<Exchange> exchange{};  ///< nullptr: every byte is carried

  /// The memory is needed.
  void clear() {
    cache.clear();
    if (exchange) exchange->forget();
  }
};

}  // namespace fusetune

#pragma once
// How the images of a proof get into the memory of a device, and what is there afterwards back.

#include <cstdint>
#include <memory>
#include <vector>

#include "harness/verify/arena.hpp"
#include "harness/verify/digester.hpp"

namespace fusetune {

/// What an arena holds after launches.
struct ArenaContent {
  std::vector<Breach> breaches;
  std::int64_t guard_bytes = 0;  ///< compared
  TensorImages images;           ///< of all tensors; what did not change shares its bytes
};

class Exchange {
 public:
  virtual ~Exchange() = default;
  /// A new one, or one of an earlier proof that asked for the same. Throws std::bad_alloc.
  virtual std::shared_ptr<Arena> arena(const Case& which, Place place, std::uint64_t seed,
                                       const Aliases& aliases) = 0;
  /// Before launches: guards, and images of all tensors.
  virtual void fill(Arena& arena, const TensorImages& images) = 0;
  /// After launches that did not fail; `initial` is what it was filled with. Throws DeviceError.
  virtual ArenaContent read(Arena& arena, const TensorImages& initial) = 0;
  /// A kernel may have written anywhere on the device: nothing that was kept there is used again.
  /// Whether there was anything.
  virtual bool forget() = 0;
  /// Of memory of the device; an empty function where none are made there.
  virtual DigestRegions digests() { return {}; }
};

/// Every byte, every time.
class PlainExchange : public Exchange {
 public:
  explicit PlainExchange(Device& device) : device_(device) {}
  std::shared_ptr<Arena> arena(const Case& which, Place place, std::uint64_t seed,
                               const Aliases& aliases) override;
  void fill(Arena& arena, const TensorImages& images) override;
  ArenaContent read(Arena& arena, const TensorImages& initial) override;
  bool forget() override { return false; }

 private:
  Device& device_;
};

}  // namespace fusetune

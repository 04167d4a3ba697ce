#pragma once
// Argument sets to rotate through, so that a launch finds none of its data in the cache.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/verify/arena.hpp"

namespace fusetune {

/// How many sets a case needs, and what that makes of its data.
struct RingPlan {
  std::int64_t sets = 1;
  bool cold = false;      ///< the ring is larger than the last-level cache
  double over_cache = 0;  ///< bytes that a sweep touches over the cache's; 0 when unknown
  std::string flag;       ///< why it is less than was asked for; "" when it is not
};

/// Hot: one set. Cold: ceil(3 x cache / unique bytes) + 1, as far as `bytes_max` goes.
std::int64_t ring_set_bytes(const Case& which);
RingPlan plan_ring(const Case& which, std::int64_t cache_bytes, bool cold, std::int64_t bytes_max);

/// The sets of one epoch in one allocation: pages of their own for thousands of small tensors would
/// exhaust the mappings of a process and put every base address on the same cache set.
class Ring {
 public:
  /// Allocates and fills every set; `seed` moves the offsets. Throws std::bad_alloc.
  Ring(Device& device, const Case& which, const TensorImages& images, std::int64_t sets,
       std::uint64_t seed);

  std::int64_t sets() const { return sets_; }
  /// Where a tensor (by its place in ABI order) of a set lies.
  DevicePointer data(std::size_t ordinal, std::int64_t set) const {
    return base_ + static_cast<std::size_t>(set) * stride_ + offsets_[ordinal];
  }
  /// Tensors that a launch changes and reads back hold their first content again (contract 9).
  /// Sets are counted on from `first`, around the ring.
  void restore(std::int64_t first, std::int64_t count);
  bool restores() const;

  /// A tensor that launches write, in the bytes of results().
  struct Part {
    std::string name;
    std::size_t offset = 0, bytes = 0;
    bool is_output = false;  ///< and do not read
  };
  /// The piece of a set that holds everything that launches write, with what lies between.
  struct Results {
    std::size_t offset = 0, end = 0;  ///< within a set
    std::vector<Part> parts;
    std::size_t size() const { return end - offset; }
  };
  const Results& results() const { return results_; }
  DevicePointer results_of(std::int64_t set) const {
    return base_ + static_cast<std::size_t>(set) * stride_ + results_.offset;
  }
  /// Outputs are all `poison`, and what launches change holds its first content.
  void reset_set(std::int64_t set, std::byte poison);
  /// Of all sets. Needs an asynchronous device.
  void reset_results(std::byte poison);

 private:
  struct Layout;
  Ring(Device& device, const TensorImages& images, std::int64_t sets, Layout layout);
  static Layout lay_out(const Case& which, std::uint64_t seed);
  void write(std::size_t ordinal, std::int64_t set);
  void fill_output(std::size_t ordinal, std::int64_t set, std::byte value);
  /// Once for the whole ring, and then within the device's memory where that is quicker.
  void fill();
  bool changes(std::size_t ordinal) const;
  void find_results();

  Device* device_;
  const TensorImages* images_;
  std::int64_t sets_;
  std::vector<const TensorDecl*> tensors_;
  std::vector<std::size_t> offsets_;
  std::vector<std::size_t> span_bytes_;
  /// Copies come from a set of the device's memory that no launch uses.
  bool has_pristine_set_;
  std::size_t stride_;
  DeviceMemory memory_;
  DevicePointer base_;
  Results results_;
};

}  // namespace fusetune

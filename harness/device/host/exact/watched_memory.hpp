#pragma once
// The tensors of a proof by address, and where the shadow of each byte lies.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/device/watch.hpp"

namespace fusetune {

class WatchedMemory {
 public:
  /// Bytes that an access may touch without looking again, and what holds for them.
  struct Stretch {
    std::uintptr_t begin = 0, end = 0;
    std::size_t shadow = 0;    ///< of `begin`
    bool tracked = false;      ///< somebody may write to them
    bool writable = false;     ///< by the name found here
    bool initialised = false;  ///< before the launches
  };
  /// Where a byte lies, in the words of a person.
  struct Place {
    std::string text;  ///< "row 2, byte 16"
    const WatchedTensor* tensor = nullptr;
  };

  void set(std::vector<WatchedTensor> tensors);
  const std::vector<WatchedTensor>& tensors() const { return tensors_; }
  std::size_t shadow_bytes() const { return shadow_bytes_; }

  /// The stretch around an access that is all in one row (or in a tensor without gaps). Where
  /// tensors overlap and the access writes, one that may be written to is preferred.
  std::optional<Stretch> find(std::uintptr_t address, std::size_t bytes, bool write) const;
  /// Shadow of a byte of a tensor's row.
  std::size_t shadow_of(std::size_t tensor, std::int64_t row, std::int64_t byte) const;

  /// Of a byte in a row.
  Place describe(std::uintptr_t address) const;
  /// What an access that find() refuses misses: "16 bytes past the end of 'y'". Nothing where no
  /// tensor is near.
  std::optional<Place> describe_miss(std::uintptr_t address, std::size_t bytes) const;

 private:
  /// Tensors whose bytes overlap share a shadow.
  struct Region {
    std::uintptr_t begin = 0, end = 0;
    std::size_t shadow = 0;
    bool dense = false;  ///< the shadow has row padding too: its tensors differ in shape
    bool tracked = false, initialised = false;
    std::vector<std::size_t> tensors;
  };

  std::optional<Stretch> stretch_in(const Region& region, std::size_t tensor,
                                    std::uintptr_t address, std::size_t bytes) const;
  void place_shadows();

  std::vector<WatchedTensor> tensors_;
  std::vector<std::size_t> region_of_;  ///< per tensor
  std::vector<Region> regions_;         ///< by address
  std::size_t shadow_bytes_ = 0;
};

}  // namespace fusetune

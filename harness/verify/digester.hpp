#pragma once
// Digests of device memory, made where it lies (kernels/digest.hip).

#include <compare>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "harness/base/digest.hpp"
#include "harness/verify/arena.hpp"

namespace fusetune {

constexpr std::int64_t kDigestBlock = 256;  ///< threads
constexpr const char* kDigestEntry = "digest_parts";

struct Region {
  DevicePointer begin = 0;
  std::size_t size_bytes = 0;
  auto operator<=>(const Region&) const = default;
};

/// One digest for each region, after all that was enqueued.
using DigestRegions = std::function<std::vector<Digest>(std::span<const Region>)>;

class Digester {
 public:
  /// `code` has kDigestEntry. Throws DeviceError when it does not give what digest_of() does.
  Digester(Device& device, std::unique_ptr<LoadedCode> code);

  /// One for each region, after all that was enqueued. The pages that they lie in must be readable.
  /// Throws DeviceError, std::bad_alloc.
  std::vector<Digest> of(std::span<const Region> regions);

  /// Regions are asked for again and again, until their memory is released.
  void forget() { tables_.clear(); }

 private:
  /// The parts of these regions, on the device.
  struct Table {
    std::vector<std::size_t> region_of_part;
    std::unique_ptr<DeviceMemory> parts, sums;
  };
  Table make_table(std::span<const Region> regions);
  const Table& table_of(std::span<const Region> regions);
  void prove();

  Device& device_;
  std::unique_ptr<LoadedCode> code_;
  std::map<std::vector<Region>, Table> tables_;
};

}  // namespace fusetune

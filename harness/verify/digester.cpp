#include "harness/verify/digester.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/base/mix.hpp"
#include "harness/device/device_error.hpp"

namespace fusetune {

namespace {

constexpr std::size_t kPartBytes = 64 << 10;
constexpr std::size_t kTablesMax = 256;

/// As the kernel has it.
struct Part {
  std::uint64_t address = 0;
  std::int64_t bytes = 0;
  std::int64_t place = 0;
};
static_assert(sizeof(Part) == 24 && sizeof(Digest) == 16);

void require(const Outcome& outcome) {
  if (!outcome.ok()) throw DeviceError(outcome.status, outcome.message);
}

}  // namespace

Digester::Digester(Device& device, std::unique_ptr<LoadedCode> code)
    : device_(device), code_(std::move(code)) {
  prove();
}

Digester::Table Digester::make_table(std::span<const Region> regions) {
  Table table;
  std::vector<Part> parts;
  for (std::size_t r = 0; r < regions.size(); ++r)
    for (std::size_t at = 0; at < regions[r].size_bytes; at += kPartBytes) {
      table.region_of_part.push_back(r);
      parts.push_back({regions[r].begin + at,
                       static_cast<std::int64_t>(std::min(kPartBytes, regions[r].size_bytes - at)),
                       static_cast<std::int64_t>(at / sizeof(std::uint64_t))});
    }
  const std::size_t part_bytes = parts.size() * sizeof(Part);
  table.parts = std::make_unique<DeviceMemory>(device_, part_bytes, Place::low);
  table.sums = std::make_unique<DeviceMemory>(device_, parts.size() * sizeof(Digest), Place::low);
  device_.copy_to(table.parts->pointer(), parts.data(), part_bytes);
  return table;
}

const Digester::Table& Digester::table_of(std::span<const Region> regions) {
  std::vector<Region> key(regions.begin(), regions.end());
  const auto found = tables_.find(key);
  if (found != tables_.end()) return found->second;
  if (tables_.size() >= kTablesMax) tables_.clear();
  return tables_.emplace(std::move(key), make_table(regions)).first->second;
}

std::vector<Digest> Digester::of(std::span<const Region> regions) {
  const Table& table = table_of(regions);
  std::vector<Digest> sums(table.region_of_part.size());
  if (!sums.empty()) {
    KernelLaunch launch;
    launch.entry = kDigestEntry;
    launch.grid[0] = std::ssize(sums);
    launch.block[0] = kDigestBlock;
    launch.arguments = {table.parts->pointer(), table.sums->pointer(),
                        static_cast<std::int64_t>(sums.size())};
    require(device_.launch(*code_, launch));
    device_.copy_from(sums.data(), table.sums->pointer(), sums.size() * sizeof(Digest));
  }
  std::vector<DigestSum> of_regions(regions.size());
  for (std::size_t i = 0; i < sums.size(); ++i) of_regions[table.region_of_part[i]].add(sums[i]);
  std::vector<Digest> digests;
  for (std::size_t r = 0; r < regions.size(); ++r)
    digests.push_back(of_regions[r].take(regions[r].size_bytes));
  return digests;
}

/// Every alignment and rest, and regions of several parts.
void Digester::prove() {
  const std::size_t size_bytes = 3 * kPartBytes;
  std::vector<std::byte> bytes(size_bytes);
  for (std::size_t i = 0; i < size_bytes; ++i) bytes[i] = static_cast<std::byte>(mix64(i));
  const DeviceMemory memory(device_, size_bytes, Place::low);
  device_.copy_to(memory.pointer(), bytes.data(), size_bytes);
  std::vector<Region> regions;
  for (std::size_t begin = 0; begin < 9; ++begin)
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, 7 + begin, kPartBytes - begin,
                                   2 * kPartBytes + 3 * begin})
      regions.push_back({memory.pointer() + begin, size});
  const std::vector<Digest> found = of(regions);
  for (std::size_t r = 0; r < regions.size(); ++r) {
    const std::size_t begin = regions[r].begin - memory.pointer();
    if (found[r] != digest_of(bytes.data() + begin, regions[r].size_bytes))
      throw DeviceError(Status::verification_failed,
                        fmt::format("the digest of {} bytes from byte {} is not what this machine "
                                    "makes of them",
                                    regions[r].size_bytes, begin));
  }
  tables_.clear();
}

}  // namespace fusetune

#include "harness/device/host/exact/tracer.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace fusetune {

namespace {

constexpr std::int64_t kAccessBytesMax = 16;
constexpr std::int64_t kBanks = 32;
constexpr std::int64_t kBankBytes = 4;
constexpr int kLaneBits = 6;
constexpr int kExecutionBits = 32;
constexpr int kWaveBits = 6;

std::int64_t ceil_divide(std::int64_t value, std::int64_t by) { return (value + by - 1) / by; }

/// Aligned segments of `size` bytes that accesses of `bytes` at ascending addresses touch.
std::int64_t segments_of(std::span<const std::uintptr_t> ascending, std::int64_t bytes,
                         std::uintptr_t size) {
  std::int64_t segments = 0;
  std::uintptr_t next = 0;  ///< the first segment that is not counted
  for (const std::uintptr_t address : ascending) {
    const std::uintptr_t first = std::max(address / size, next);
    const std::uintptr_t end = (address + static_cast<std::uintptr_t>(bytes) - 1) / size + 1;
    if (first >= end) continue;
    segments += static_cast<std::int64_t>(end - first);
    next = end;
  }
  return segments;
}

void count_global(std::vector<std::uintptr_t>& addresses, SiteTraffic& traffic) {
  std::sort(addresses.begin(), addresses.end());
  const std::int64_t bytes = segments_of(addresses, traffic.access_bytes, 1);
  traffic.segments_32 += segments_of(addresses, traffic.access_bytes, 32);
  traffic.segments_64 += segments_of(addresses, traffic.access_bytes, 64);
  traffic.segments_128 += segments_of(addresses, traffic.access_bytes, 128);
  traffic.ideal_32 += ceil_divide(bytes, 32);
  traffic.ideal_64 += ceil_divide(bytes, 64);
  traffic.ideal_128 += ceil_divide(bytes, 128);
}

/// The words that the bank with the most of them has to give.
std::int64_t bank_passes(std::vector<std::uintptr_t>& words) {
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  std::int64_t of_bank[kBanks] = {};
  for (const std::uintptr_t word : words) ++of_bank[word % kBanks];
  return *std::max_element(std::begin(of_bank), std::end(of_bank));
}

}  // namespace

void Tracer::clear() {
  ended_ = {};
  ended_sites_.clear();
  begin_launch("", wave_size_, 0);
}

void Tracer::begin_launch(std::string entry, int wave_size, int threads) {
  entry_ = std::move(entry);
  wave_size_ = wave_size;
  threads_ = threads;
  sites_.clear();
  site_numbers_.clear();
  accesses_.clear();
  launch_ = {};
}

void Tracer::access(std::uintptr_t site, int thread, std::uintptr_t address, std::size_t bytes,
                    bool write, bool shared) {
  auto left = static_cast<std::int64_t>(bytes);
  for (std::uint32_t piece = 0; left > 0; ++piece) {
    const std::int64_t now = std::min(left, kAccessBytesMax);
    add(site, piece, thread, address, now, write, shared);
    address += static_cast<std::uintptr_t>(now);
    left -= now;
  }
}

void Tracer::add(std::uintptr_t code, std::uint32_t piece, int thread, std::uintptr_t address,
                 std::int64_t bytes, bool write, bool shared) {
  const std::size_t number = site_of(code, piece, bytes, write, shared);
  const auto at = static_cast<std::size_t>(thread);
  std::uint64_t order = number;
  order = order << kWaveBits | at / static_cast<std::size_t>(wave_size_);
  order = order << kExecutionBits | sites_[number].executions[at]++;
  order = order << kLaneBits | at % static_cast<std::size_t>(wave_size_);
  accesses_.push_back({order, address});
}

std::size_t Tracer::site_of(std::uintptr_t code, std::uint32_t piece, std::int64_t bytes,
                            bool write, bool shared) {
  const auto is_it = [&](const Site& site) {
    return site.code == code && site.piece == piece && site.traffic.access_bytes == bytes &&
           site.traffic.write == write && site.traffic.shared == shared;
  };
  if (last_site_ < sites_.size() && is_it(sites_[last_site_])) return last_site_;
  const std::uint64_t key =
      static_cast<std::uint64_t>(code) << 24 | std::uint64_t{piece & 0xffff} << 8 |
      static_cast<std::uint64_t>(bytes) << 2 | std::uint64_t{write} << 1 | std::uint64_t{shared};
  const auto [known, is_new] = site_numbers_.try_emplace(key, sites_.size());
  if (is_new) {
    Site site;
    site.code = code;
    site.piece = piece;
    site.traffic.write = write;
    site.traffic.shared = shared;
    site.traffic.access_bytes = bytes;
    site.executions.resize(static_cast<std::size_t>(threads_));
    sites_.push_back(std::move(site));
  }
  return last_site_ = known->second;
}

void Tracer::barrier() {
  count_instructions();
  ++launch_.barriers;
}

void Tracer::wave_operation() { ++launch_.wave_operations; }

void Tracer::end_block() { count_instructions(); }

void Tracer::count_instructions() {
  std::sort(accesses_.begin(), accesses_.end(),
            [](const Access& a, const Access& b) { return a.order < b.order; });
  for (std::size_t i = 0; i < accesses_.size();) {
    const std::uint64_t instruction = accesses_[i].order >> kLaneBits;
    std::size_t end = i;
    while (end < accesses_.size() && accesses_[end].order >> kLaneBits == instruction) ++end;
    Site& site = sites_[instruction >> (kExecutionBits + kWaveBits)];
    count_instruction({accesses_.data() + i, end - i}, site.traffic);
    i = end;
  }
  accesses_.clear();
  for (Site& site : sites_) std::fill(site.executions.begin(), site.executions.end(), 0);
}

void Tracer::count_instruction(std::span<const Access> lanes, SiteTraffic& traffic) {
  const auto count = static_cast<std::int64_t>(lanes.size());
  ++traffic.instructions;
  traffic.lanes += count;
  if (traffic.shared) return count_shared(lanes, traffic);
  (traffic.write ? launch_.write_bytes : launch_.read_bytes) += count * traffic.access_bytes;
  scratch_.clear();
  for (const Access& access : lanes) scratch_.push_back(access.address);
  count_global(scratch_, traffic);
}

void Tracer::count_shared(std::span<const Access> lanes, SiteTraffic& traffic) {
  // Narrow accesses are no faster than words: a group is never more than one lane per bank.
  const auto group_lanes =
      static_cast<std::uint64_t>(std::min(kBanks, kBanks * kBankBytes / traffic.access_bytes));
  const auto group_of = [group_lanes](const Access& access) {
    return (access.order & ((1u << kLaneBits) - 1)) / group_lanes;
  };
  for (std::size_t i = 0; i < lanes.size();) {
    const std::uint64_t group = group_of(lanes[i]);
    scratch_.clear();
    for (; i < lanes.size() && group_of(lanes[i]) == group; ++i) {
      const std::uintptr_t last =
          lanes[i].address + static_cast<std::uintptr_t>(traffic.access_bytes) - 1;
      for (std::uintptr_t word = lanes[i].address / kBankBytes; word <= last / kBankBytes; ++word)
        scratch_.push_back(word);
    }
    traffic.bank_passes += bank_passes(scratch_);
    ++traffic.bank_passes_ideal;
  }
}

void Tracer::end_launch(const SourcePlace& place) {
  // A block that a fault cut off has no instructions that could be told.
  accesses_.clear();
  for (const Site& site : sites_) {
    if (site.traffic.instructions == 0) continue;
    const std::string at = place(site.code);
    SiteTraffic& sum = ended_sites_[{entry_, at, site.traffic.write, site.traffic.shared,
                                     site.traffic.access_bytes}];
    const SiteTraffic before = std::exchange(sum, site.traffic);
    sum.entry = entry_;
    sum.place = at;
    sum.instructions += before.instructions;
    sum.lanes += before.lanes;
    sum.segments_32 += before.segments_32;
    sum.segments_64 += before.segments_64;
    sum.segments_128 += before.segments_128;
    sum.ideal_32 += before.ideal_32;
    sum.ideal_64 += before.ideal_64;
    sum.ideal_128 += before.ideal_128;
    sum.bank_passes += before.bank_passes;
    sum.bank_passes_ideal += before.bank_passes_ideal;
  }
  ended_.barriers += launch_.barriers;
  ended_.wave_operations += launch_.wave_operations;
  ended_.read_bytes += launch_.read_bytes;
  ended_.write_bytes += launch_.write_bytes;
  begin_launch("", wave_size_, 0);
}

TracedTraffic Tracer::traffic() const {
  TracedTraffic all = ended_;
  for (const auto& [place, site] : ended_sites_) all.sites.push_back(site);
  return all;
}

}  // namespace fusetune

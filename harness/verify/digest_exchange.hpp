#pragma once
// An exchange with a device that is far away: by digests made there, only what is not known yet is
// carried.

#include <cstddef>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/verify/digester.hpp"
#include "harness/verify/exchange.hpp"

namespace fusetune {

/// What was used last, of at most so many bytes; nothing of more than a quarter of them.
template <typename Key, typename Value>
class RecentlyUsed {
 public:
  explicit RecentlyUsed(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  Value* find(const Key& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return nullptr;
    turns_.splice(turns_.end(), turns_, found->second.turn);
    return &found->second.value;
  }
  /// What is larger would push out what is worth more.
  bool fits(std::size_t bytes) const { return bytes <= bytes_max_ / 4; }
  Value& keep(const Key& key, Value value, std::size_t bytes) {
    while (!turns_.empty() && bytes_ + bytes > bytes_max_) drop(turns_.front());
    turns_.push_back(key);
    bytes_ += bytes;
    return entries_.emplace(key, Entry{std::move(value), bytes, std::prev(turns_.end())})
        .first->second.value;
  }
  bool empty() const { return entries_.empty(); }
  void clear() {
    entries_.clear();
    turns_.clear();
    bytes_ = 0;
  }

 private:
  struct Entry {
    Value value;
    std::size_t bytes = 0;
    typename std::list<Key>::iterator turn;
  };
  void drop(const Key& key) {
    const auto found = entries_.find(key);
    bytes_ -= found->second.bytes;
    const auto turn = found->second.turn;
    entries_.erase(found);
    turns_.erase(turn);
  }

  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::map<Key, Entry> entries_;
  std::list<Key> turns_;
};

/// Content is taken to be known where its 128 bits of digest are; what no digest tells is read.
class DigestExchange : public Exchange {
 public:
  /// `code` is the digest kernel's. Keeps at most so many bytes of images on this machine. Throws
  /// DeviceError when the kernel is wrong.
  DigestExchange(Device& device, std::unique_ptr<LoadedCode> code,
                 std::size_t bytes_max = std::size_t{1} << 30);

  std::shared_ptr<Arena> arena(const Case& which, Place place, std::uint64_t seed,
                               const Aliases& aliases) override;
  void fill(Arena& arena, const TensorImages& images) override;
  ArenaContent read(Arena& arena, const TensorImages& initial) override;
  bool forget() override;
  DigestRegions digests() override;

  /// Bytes that were carried to the device and back.
  std::int64_t carried_bytes() const { return carried_bytes_; }

 private:
  class KeptArena;
  void put(const Buffer& buffer, const TensorImage& image);
  TensorImage get(const Arena& arena, const Buffer& buffer, const Digest& digest);

  Device& device_;
  Digester digester_;
  RecentlyUsed<std::string, std::shared_ptr<KeptArena>> arenas_;
  RecentlyUsed<Digest, DeviceMemory> residents_;  ///< images on the device
  RecentlyUsed<Digest, ImageBytes> known_;        ///< on this machine
  std::int64_t carried_bytes_ = 0;
};

}  // namespace fusetune

#include "harness/verify/digest_exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <optional>
#include <stdexcept>

#include "harness/base/hash.hpp"
#include "harness/device/device_error.hpp"

namespace fusetune {

namespace {

constexpr std::int64_t kOnDeviceMax = std::int64_t{2} << 30;  // each of arenas and images
constexpr std::int64_t kOfFree = 64;  // and at most this part of what is free: workers are several

std::size_t share_of(Device& device) {
  const std::optional<std::int64_t> free_bytes = device.free_bytes();
  return static_cast<std::size_t>(free_bytes ? std::min(kOnDeviceMax, *free_bytes / kOfFree)
                                             : kOnDeviceMax / kOfFree);
}

std::string key_of_arena(const Case& which, Place place, std::uint64_t seed,
                         const Aliases& aliases) {
  HashFields fields;
  fields.add(to_json(which).dump());
  fields.add(static_cast<std::uint64_t>(place));
  fields.add(seed);
  for (const auto& [out, in] : aliases) {
    fields.add(out);
    fields.add(in);
  }
  return fields.hex();
}

/// What is between its rows lies on the device as in an image.
bool lies_alike(const TensorImage& image) {
  return image.stride_bytes() == image.device_stride_bytes();
}

Digest digest_of_guard(const Buffer& buffer, bool past_end) {
  const std::vector<std::byte> guard = guard_of(buffer, past_end);
  return digest_of(guard.data(), guard.size());
}

}  // namespace

/// With what it holds, as far as that is known; in the order of its buffers.
class DigestExchange::KeptArena : public Arena {
 public:
  KeptArena(Device& device, const Case& which, Place place, std::uint64_t seed,
            const Aliases& aliases)
      : Arena(device, which, place, seed, aliases), content(buffers().size()) {
    for (const Buffer& buffer : buffers()) {
      guards.push_back(digest_of_guard(buffer, false));
      guards.push_back(digest_of_guard(buffer, true));
    }
  }

  /// Front guard, back guard and data of each buffer.
  std::vector<Region> regions() const {
    std::vector<Region> list;
    for (const Buffer& buffer : buffers()) {
      list.push_back({buffer.begin(), buffer.front_bytes});
      list.push_back({buffer.data + buffer.data_bytes, buffer.back_bytes});
      list.push_back({buffer.data, buffer.data_bytes});
    }
    return list;
  }

  /// Launches write into it from here on.
  void let_run() {
    content.assign(content.size(), std::nullopt);
    guards_whole = false;
  }

  std::vector<std::optional<Digest>> content;
  std::vector<Digest> guards;  ///< front and back of each buffer, as they should be
  bool guards_whole = true;
};

DigestExchange::DigestExchange(Device& device, std::unique_ptr<LoadedCode> code,
                               std::size_t bytes_max)
    : device_(device),
      digester_(device, std::move(code)),
      arenas_(share_of(device)),
      residents_(share_of(device)),
      known_(bytes_max) {}

std::shared_ptr<Arena> DigestExchange::arena(const Case& which, Place place, std::uint64_t seed,
                                             const Aliases& aliases) {
  const std::string key = key_of_arena(which, place, seed, aliases);
  if (const auto* kept = arenas_.find(key)) return *kept;
  auto made = std::make_shared<KeptArena>(device_, which, place, seed, aliases);
  if (arenas_.fits(made->size_bytes())) arenas_.keep(key, made, made->size_bytes());
  return made;
}

void DigestExchange::fill(Arena& arena, const TensorImages& images) {
  auto& kept = dynamic_cast<KeptArena&>(arena);
  if (!kept.guards_whole) kept.write_guards();
  for (std::size_t i = 0; i < kept.buffers().size(); ++i) {
    const Buffer& buffer = kept.buffers()[i];
    const auto image = images.find(buffer.tensor->name);
    if (image == images.end() || buffer.data_bytes == 0 || !buffer.over.empty()) continue;
    if (kept.content[i] == image->second.bytes.digest()) continue;
    put(buffer, image->second);
  }
  kept.let_run();
}

void DigestExchange::put(const Buffer& buffer, const TensorImage& image) {
  const std::size_t size_bytes = image.bytes.size();
  if (!lies_alike(image) || !residents_.fits(size_bytes)) {
    carried_bytes_ += static_cast<std::int64_t>(size_bytes);
    return copy_to_device(device_, buffer.data, image);
  }
  const Digest& digest = image.bytes.digest();
  const DeviceMemory* resident = residents_.find(digest);
  if (resident == nullptr) {
    DeviceMemory memory(device_, size_bytes, Place::low);
    device_.copy_to(memory.pointer(), std::as_const(image.bytes).data(), size_bytes);
    carried_bytes_ += static_cast<std::int64_t>(size_bytes);
    resident = &residents_.keep(digest, std::move(memory), size_bytes);
  }
  device_.copy_within(buffer.data, resident->pointer(), size_bytes);
}

ArenaContent DigestExchange::read(Arena& arena, const TensorImages& initial) {
  auto& kept = dynamic_cast<KeptArena&>(arena);
  const std::vector<Digest> digests = digester_.of(kept.regions());
  ArenaContent content;
  kept.guards_whole = true;
  for (std::size_t i = 0; i < kept.buffers().size(); ++i) {
    const Buffer& buffer = kept.buffers()[i];
    kept.guards_whole = kept.guards_whole && digests[3 * i] == kept.guards[2 * i] &&
                        digests[3 * i + 1] == kept.guards[2 * i + 1];
    content.guard_bytes += static_cast<std::int64_t>(buffer.front_bytes + buffer.back_bytes);
    const Digest& digest = digests[3 * i + 2];
    const TensorImage& before = initial.at(buffer.tensor->name);
    TensorImage& now = content.images[buffer.tensor->name];
    if (!lies_alike(before)) {
      now = kept.read(buffer);
      continue;
    }
    kept.content[i] = digest;
    now = before.bytes.digest() == digest ? before : get(kept, buffer, digest);
  }
  // Which bytes those are is told by looking at all of them.
  std::int64_t compared_bytes = 0;
  if (!kept.guards_whole) content.breaches = kept.check_guards(&compared_bytes);
  return content;
}

TensorImage DigestExchange::get(const Arena& arena, const Buffer& buffer, const Digest& digest) {
  if (const ImageBytes* known = known_.find(digest)) {
    TensorImage image;
    image.shape = buffer.shape;
    image.bytes = *known;
    return image;
  }
  TensorImage image = arena.read(buffer);
  carried_bytes_ += static_cast<std::int64_t>(image.bytes.size());
  if (image.bytes.digest() != digest)
    throw DeviceError(Status::launch_error,
                      fmt::format("{} is not what its digest on the device says: it changed on the "
                                  "way, or is still written to",
                                  buffer.tensor->name));
  if (known_.fits(image.bytes.size())) known_.keep(digest, image.bytes, image.bytes.size());
  return image;
}

DigestRegions DigestExchange::digests() {
  return [this](std::span<const Region> regions) { return digester_.of(regions); };
}

bool DigestExchange::forget() {
  const bool any = !arenas_.empty() || !residents_.empty();
  arenas_.clear();
  residents_.clear();
  known_.clear();
  digester_.forget();
  return any;
}

}  // namespace fusetune

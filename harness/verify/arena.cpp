#include "harness/verify/arena.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <utility>

#include "harness/base/mix.hpp"

namespace fusetune {

namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kGuardBytesMax = 65536;
constexpr std::size_t kAlignBytesMax = 16;

std::size_t align_up(std::size_t value, std::size_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

/// Fills in the three sizes. The whole is made of pages, so that the base alignment depends on
/// nothing but the offset, on devices with and without Place.
void lay_out(Buffer& buffer, std::size_t align_bytes, Place place) {
  buffer.data_bytes =
      buffer.shape.elements() == 0 ? 0 : static_cast<std::size_t>(buffer.shape.span_bytes());
  const std::size_t step = align_bytes < kAlignBytesMax ? 2 * align_bytes : kAlignBytesMax;
  const std::size_t rest = align_bytes < kAlignBytesMax ? align_bytes : 0;
  const auto row_bytes =
      static_cast<std::size_t>(buffer.shape.row_stride * size_bytes(buffer.shape.dtype));
  const std::size_t far_bytes = std::clamp(row_bytes, kPageBytes, kGuardBytesMax);
  if (place == Place::low) {
    buffer.front_bytes = rest;
    buffer.back_bytes =
        align_up(rest + buffer.data_bytes + far_bytes, kPageBytes) - rest - buffer.data_bytes;
    return;
  }
  buffer.back_bytes = (step + rest - buffer.data_bytes % step) % step;
  const std::size_t used = buffer.data_bytes + buffer.back_bytes;
  buffer.front_bytes = align_up(used + far_bytes, kPageBytes) - used;
}

/// Calls copy(offset in the image, offset on the device, bytes): once where both are laid out
/// alike, otherwise per row.
template <class Copy>
void for_each_run(const TensorImage& image, const Copy& copy) {
  if (image.bytes.empty()) return;
  if (image.stride_bytes() == image.device_stride_bytes()) return copy(0, 0, image.bytes.size());
  for (std::int64_t row = 0; row < image.filled_rows(); ++row) {
    const bool last = row + 1 == image.filled_rows();
    copy(static_cast<std::size_t>(row * image.stride_bytes()),
         static_cast<std::size_t>(row * image.device_stride_bytes()),
         static_cast<std::size_t>(last ? image.row_bytes() : image.stride_bytes()));
  }
}

}  // namespace

// By distance from the data, eight at a time: each run of a proof writes and checks them.
std::vector<std::byte> guard_of(const Buffer& buffer, bool past_end) {
  const std::size_t size_bytes = past_end ? buffer.back_bytes : buffer.front_bytes;
  const std::uint64_t salt = 2 * buffer.ordinal + (past_end ? 1 : 0);
  std::vector<std::byte> bytes(align_up(size_bytes, sizeof(std::uint64_t)));
  for (std::size_t i = 0; i < bytes.size(); i += sizeof(std::uint64_t)) {
    const std::uint64_t word = 0x8080808080808080u | (mix64(salt << 32 | i) & 0x3F3F3F3F3F3F3F3Fu);
    std::memcpy(&bytes[i], &word, sizeof word);
  }
  bytes.resize(size_bytes);
  if (!past_end) std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

void copy_to_device(Device& device, DevicePointer data, const TensorImage& image) {
  for_each_run(image, [&](std::size_t from, std::size_t to, std::size_t size_bytes) {
    device.copy_to(data + to, image.bytes.data() + from, size_bytes);
  });
}

void copy_from_device(Device& device, DevicePointer data, TensorImage& image) {
  for_each_run(image, [&](std::size_t to, std::size_t from, std::size_t size_bytes) {
    device.copy_from(image.bytes.data() + to, data + from, size_bytes);
  });
}

DeviceMemory::DeviceMemory(Device& device, std::size_t size_bytes, Place place)
    : device_(&device), pointer_(device.allocate(size_bytes, place)) {}

DeviceMemory::DeviceMemory(DeviceMemory&& other) noexcept
    : device_(std::exchange(other.device_, nullptr)), pointer_(other.pointer_) {}

DeviceMemory::~DeviceMemory() {
  if (device_ != nullptr) device_->release(pointer_);
}

Arena::Arena(Device& device, const Case& which, Place place, std::uint64_t seed,
             const Aliases& aliases)
    : device_(&device), family_(which.geometry.family) {
  const auto& classes = which.geometry.align_bytes;
  for (const TensorDecl* tensor : tensors_of(which.geometry)) {
    Buffer buffer;
    buffer.tensor = tensor;
    buffer.ordinal = buffers_.size();
    buffer.shape = shape_of(which, *tensor);
    std::int64_t align_bytes = classes.at(tensor->name);
    for (const auto& [out, in] : aliases) {
      if (out == tensor->name) buffer.over = in;
      if (in != tensor->name) continue;
      buffer.overwritten = true;
      align_bytes = std::max(align_bytes, classes.at(out));
    }
    lay_out(buffer, static_cast<std::size_t>(align_bytes), place);
    if (!buffer.over.empty()) buffer.front_bytes = buffer.back_bytes = 0;
    buffers_.push_back(std::move(buffer));
  }
  allocate(device, place, seed);
  for (Buffer& buffer : buffers_)
    if (!buffer.over.empty()) buffer.data = this->buffer(buffer.over).data;
  write_guards();
}

void Arena::allocate(Device& device, Place place, std::uint64_t seed) {
  std::vector<std::size_t> order(buffers_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[mix64(seed ^ (i << 40)) % i]);
  memory_.reserve(order.size());
  for (std::size_t i : order) {
    Buffer& buffer = buffers_[i];
    if (!buffer.over.empty()) continue;
    const std::size_t total = buffer.front_bytes + buffer.data_bytes + buffer.back_bytes;
    memory_.emplace_back(device, total, place);
    buffer.data = memory_.back().pointer() + buffer.front_bytes;
  }
}

const Buffer& Arena::buffer(std::string_view tensor) const {
  for (const Buffer& buffer : buffers_)
    if (buffer.tensor->name == tensor) return buffer;
  throw std::out_of_range(fmt::format("the case has no tensor '{}'", tensor));
}

void Arena::write(const TensorImages& images) {
  for (const Buffer& buffer : buffers_) {
    const auto image = images.find(buffer.tensor->name);
    if (image == images.end() || buffer.data_bytes == 0 || !buffer.over.empty()) continue;
    copy_to_device(*device_, buffer.data, image->second);
  }
}

void Arena::restore(const TensorImages& images) {
  for (const Buffer& buffer : buffers_) {
    if (buffer.tensor->role != Role::inout && buffer.tensor->role != Role::state) continue;
    const auto image = images.find(buffer.tensor->name);
    if (image == images.end() || buffer.data_bytes == 0) continue;
    copy_to_device(*device_, buffer.data, image->second);
  }
}

TensorImage Arena::read(const Buffer& buffer) const {
  TensorImage image(buffer.shape);
  copy_from_device(*device_, buffer.data, image);
  return image;
}

void Arena::write_guards() {
  for (const Buffer& buffer : buffers_) {
    const std::vector<std::byte> front = guard_of(buffer, false), back = guard_of(buffer, true);
    if (!front.empty()) device_->copy_to(buffer.begin(), front.data(), front.size());
    if (!back.empty()) device_->copy_to(buffer.data + buffer.data_bytes, back.data(), back.size());
  }
}

std::vector<Breach> Arena::check_guards(std::int64_t* compared_bytes) const {
  std::vector<Breach> breaches;
  for (const Buffer& buffer : buffers_) {
    for (bool past_end : {false, true}) {
      const std::vector<std::byte> expected = guard_of(buffer, past_end);
      if (expected.empty()) continue;
      std::vector<std::byte> actual(expected.size());
      device_->copy_from(actual.data(), past_end ? buffer.data + buffer.data_bytes : buffer.begin(),
                         actual.size());
      *compared_bytes += static_cast<std::int64_t>(actual.size());
      if (std::memcmp(actual.data(), expected.data(), actual.size()) == 0) continue;
      std::optional<Breach> breach;
      for (std::size_t i = 0; i < actual.size(); ++i) {
        const std::size_t at = past_end ? i : actual.size() - 1 - i;
        if (actual[at] == expected[at]) continue;
        if (!breach) breach = Breach{buffer.tensor->name, past_end, i, i};
        breach->last_byte = i;
      }
      if (breach) breaches.push_back(*breach);
    }
  }
  return breaches;
}

std::string Arena::locate(DevicePointer address) const {
  const Buffer* best = nullptr;
  std::size_t best_distance = kGuardBytesMax;
  for (const Buffer& buffer : buffers_) {
    const DevicePointer end = buffer.data + buffer.data_bytes;
    if (address >= buffer.data && address < end)
      return fmt::format("{} bytes into {}", address - buffer.data, buffer.tensor->name);
    const std::size_t distance = address < buffer.data ? buffer.data - address : address - end;
    if (distance >= best_distance) continue;
    best = &buffer;
    best_distance = distance;
  }
  if (best == nullptr) return "";
  return fmt::format("{} bytes {} {}", best_distance,
                     address < best->data ? "before" : "past the end of", best->tensor->name);
}

std::size_t Arena::size_bytes() const {
  std::size_t total = 0;
  for (const Buffer& buffer : buffers_)
    if (buffer.over.empty()) total += buffer.end() - buffer.begin();
  return total;
}

std::vector<WatchedTensor> Arena::watched() const {
  std::vector<WatchedTensor> tensors;
  for (const Buffer& buffer : buffers_) {
    if (buffer.data_bytes == 0 || !buffer.over.empty()) continue;
    const Role role = buffer.tensor->role;
    const std::int64_t element_bytes = fusetune::size_bytes(buffer.shape.dtype);
    tensors.push_back({.name = buffer.tensor->name,
                       .data = buffer.data,
                       .rows = buffer.shape.rows(),
                       .row_bytes = buffer.shape.row_elements * element_bytes,
                       .stride_bytes = buffer.shape.row_stride * element_bytes,
                       .initialised = role != Role::out && role != Role::workspace,
                       .writable = role != Role::in || buffer.overwritten});
  }
  return tensors;
}

}  // namespace fusetune

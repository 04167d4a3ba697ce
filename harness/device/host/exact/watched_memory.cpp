#include "harness/device/host/exact/watched_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "harness/device/host/fault_text.hpp"

namespace fusetune {

namespace {

/// What lies further from any tensor is not called after one.
constexpr std::int64_t kNearBytes = std::int64_t{1} << 20;

bool has_gaps(const WatchedTensor& tensor) {
  return tensor.rows > 1 && tensor.stride_bytes > tensor.row_bytes;
}

std::int64_t extent_bytes(const WatchedTensor& tensor) {
  if (tensor.rows <= 0 || tensor.row_bytes <= 0) return 0;
  return (tensor.rows - 1) * tensor.stride_bytes + tensor.row_bytes;
}

bool same_shape(const WatchedTensor& a, const WatchedTensor& b) {
  return a.data == b.data && a.rows == b.rows && a.row_bytes == b.row_bytes &&
         a.stride_bytes == b.stride_bytes;
}

}  // namespace

void WatchedMemory::set(std::vector<WatchedTensor> tensors) {
  tensors_ = std::move(tensors);
  regions_.clear();
  region_of_.assign(tensors_.size(), 0);
  std::vector<std::size_t> order(tensors_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [this](std::size_t a, std::size_t b) { return tensors_[a].data < tensors_[b].data; });
  for (const std::size_t index : order) {
    const WatchedTensor& tensor = tensors_[index];
    const std::int64_t extent = extent_bytes(tensor);
    if (extent == 0) continue;
    const std::uintptr_t end = tensor.data + static_cast<std::uintptr_t>(extent);
    if (regions_.empty() || tensor.data >= regions_.back().end) {
      regions_.push_back({tensor.data, end, 0, false, false, false, {}});
    } else {
      Region& shared = regions_.back();
      shared.end = std::max(shared.end, end);
      shared.dense |= !same_shape(tensors_[shared.tensors.front()], tensor);
    }
    Region& region = regions_.back();
    region.tensors.push_back(index);
    region.tracked |= tensor.writable;
    region.initialised |= tensor.initialised;
    region_of_[index] = regions_.size() - 1;
  }
  place_shadows();
}

void WatchedMemory::place_shadows() {
  shadow_bytes_ = 0;
  for (Region& region : regions_) {
    if (!region.tracked) continue;
    const WatchedTensor& tensor = tensors_[region.tensors.front()];
    region.dense |= !has_gaps(tensor);
    region.shadow = shadow_bytes_;
    shadow_bytes_ += region.dense ? region.end - region.begin
                                  : static_cast<std::size_t>(tensor.rows * tensor.row_bytes);
  }
}

std::size_t WatchedMemory::shadow_of(std::size_t tensor, std::int64_t row,
                                     std::int64_t byte) const {
  const WatchedTensor& of = tensors_[tensor];
  const Region& region = regions_[region_of_[tensor]];
  if (!region.dense) return region.shadow + static_cast<std::size_t>(row * of.row_bytes + byte);
  return region.shadow + (of.data - region.begin) +
         static_cast<std::size_t>(row * of.stride_bytes + byte);
}

std::optional<WatchedMemory::Stretch> WatchedMemory::stretch_in(const Region& region,
                                                                std::size_t tensor,
                                                                std::uintptr_t address,
                                                                std::size_t bytes) const {
  const WatchedTensor& of = tensors_[tensor];
  const auto extent = static_cast<std::uintptr_t>(extent_bytes(of));
  if (address < of.data || address - of.data >= extent) return std::nullopt;
  Stretch found{of.data, of.data + extent, 0, region.tracked, of.writable, region.initialised};
  std::int64_t row = 0;
  if (has_gaps(of)) {
    row = static_cast<std::int64_t>(address - of.data) / of.stride_bytes;
    found.begin = of.data + static_cast<std::uintptr_t>(row * of.stride_bytes);
    found.end = found.begin + static_cast<std::uintptr_t>(of.row_bytes);
  }
  if (address + bytes > found.end) return std::nullopt;
  if (region.tracked) found.shadow = shadow_of(tensor, row, 0);
  return found;
}

std::optional<WatchedMemory::Stretch> WatchedMemory::find(std::uintptr_t address, std::size_t bytes,
                                                          bool write) const {
  auto after = std::upper_bound(
      regions_.begin(), regions_.end(), address,
      [](std::uintptr_t value, const Region& region) { return value < region.begin; });
  if (after == regions_.begin()) return std::nullopt;
  const Region& region = *--after;
  std::optional<Stretch> best;
  for (const std::size_t tensor : region.tensors) {
    const std::optional<Stretch> found = stretch_in(region, tensor, address, bytes);
    if (found && (!best || (write && found->writable && !best->writable))) best = found;
  }
  return best;
}

WatchedMemory::Place WatchedMemory::describe(std::uintptr_t address) const {
  for (const WatchedTensor& tensor : tensors_) {
    if (address < tensor.data) continue;
    const auto offset = static_cast<std::int64_t>(address - tensor.data);
    if (offset >= extent_bytes(tensor)) continue;
    if (tensor.rows <= 1) return {fmt::format("byte {}", offset), &tensor};
    const std::int64_t stride = std::max(tensor.stride_bytes, std::int64_t{1});
    const std::int64_t row = std::min(offset / stride, tensor.rows - 1);
    return {fmt::format("row {}, byte {}", row, offset - row * stride), &tensor};
  }
  return {};
}

std::optional<WatchedMemory::Place> WatchedMemory::describe_miss(std::uintptr_t address,
                                                                 std::size_t bytes) const {
  const WatchedTensor* nearest = nullptr;
  std::int64_t distance = kNearBytes + 1;
  for (const WatchedTensor& tensor : tensors_) {
    const auto offset = static_cast<std::int64_t>(address - tensor.data);
    const std::int64_t past = offset - extent_bytes(tensor);
    const std::int64_t away = offset < 0 ? -offset : past >= 0 ? past + 1 : 0;
    if (away >= distance) continue;
    distance = away;
    nearest = &tensor;
  }
  if (nearest == nullptr) return std::nullopt;
  const WatchedTensor& tensor = *nearest;
  const auto offset = static_cast<std::int64_t>(address - tensor.data);
  const std::int64_t size = extent_bytes(tensor), over = static_cast<std::int64_t>(bytes);
  const auto place = [&](std::string text) { return Place{std::move(text), &tensor}; };
  if (offset < 0) return place(fmt::format("{} before '{}'", bytes_text(-offset), tensor.name));
  if (offset >= size)
    return place(fmt::format("{} past the end of '{}'", bytes_text(offset - size), tensor.name));
  if (!has_gaps(tensor))
    return place(fmt::format("ending {} past the end of '{}'", bytes_text(offset + over - size),
                             tensor.name));
  const std::int64_t row = offset / tensor.stride_bytes;
  const std::int64_t past = offset % tensor.stride_bytes - tensor.row_bytes;
  if (past >= 0)
    return place(fmt::format("in the row padding of '{}', {} past row {}", tensor.name,
                             bytes_text(past), row));
  if (row == tensor.rows - 1)
    return place(
        fmt::format("ending {} past the end of '{}'", bytes_text(past + over), tensor.name));
  return place(fmt::format("ending {} past row {} of '{}', in its padding", bytes_text(past + over),
                           row, tensor.name));
}

}  // namespace fusetune

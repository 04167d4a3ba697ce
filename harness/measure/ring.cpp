#include "harness/measure/ring.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace fusetune {

namespace {

/// Where a tensor may begin: at what cudaMalloc and hipMalloc give, and torch beyond it. Between
/// lines of the cache, rows of which a piece is touched would be two lines each: 1.1 to 1.4 times
/// the time on an H200.
constexpr std::size_t kBeginBytes = 256;
constexpr std::size_t kFilledBytes = std::size_t{1} << 20;  // that are carried to fill an output
constexpr std::size_t kAlignBytesMax = 16;

std::int64_t unique_bytes(const Case& which) {
  const Traffic traffic = traffic_of(which);
  return std::max<std::int64_t>(1, traffic.read_bytes + traffic.write_bytes);
}

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace

std::int64_t ring_set_bytes(const Case& which) {
  std::int64_t total = 0;
  for (const TensorDecl* tensor : tensors_of(which.geometry)) {
    total += shape_of(which, *tensor).span_bytes() + static_cast<std::int64_t>(2 * kBeginBytes);
  }
  return std::max<std::int64_t>(1, total);
}

RingPlan plan_ring(const Case& which, std::int64_t cache_bytes, bool cold, std::int64_t bytes_max) {
  const std::int64_t unique = unique_bytes(which);
  const auto over = [&](std::int64_t sets) {
    return cache_bytes <= 0 ? 0.0
                            : static_cast<double>(sets) * static_cast<double>(unique) /
                                  static_cast<double>(cache_bytes);
  };
  if (!cold) return {1, false, over(1), ""};
  const std::int64_t fitting = std::max<std::int64_t>(1, bytes_max / ring_set_bytes(which));
  if (cache_bytes <= 0) return {fitting, true, 0, "cache size unknown: the ring is all it may be"};
  const std::int64_t wanted = divide_up(3 * cache_bytes, unique) + 1;
  RingPlan plan;
  plan.sets = std::min(wanted, fitting);
  plan.over_cache = over(plan.sets);
  // Below the cache's own size a sweep finds its data again, whatever was asked for.
  plan.cold = plan.over_cache > 1;
  if (plan.sets < wanted && plan.over_cache < 3)
    plan.flag = fmt::format("ring capped at {:.2g} x the cache", plan.over_cache);
  return plan;
}

struct Ring::Layout {
  std::vector<const TensorDecl*> tensors;
  std::vector<std::size_t> offsets;  ///< within a set
  std::vector<std::size_t> span_bytes;
  std::size_t base = 0;  ///< of the first set
  std::size_t stride = 0;
};

Ring::Layout Ring::lay_out(const Case& which, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Layout layout;
  layout.tensors = tensors_of(which.geometry);
  layout.base = kBeginBytes * (random() % 64);
  std::size_t at = 0;
  for (const TensorDecl* tensor : layout.tensors) {
    const auto align = static_cast<std::size_t>(which.geometry.align_bytes.at(tensor->name));
    // A class below 16 bytes is met exactly: better alignment would time another case.
    layout.offsets.push_back(at + (align < kAlignBytesMax ? align : 0));
    layout.span_bytes.push_back(static_cast<std::size_t>(shape_of(which, *tensor).span_bytes()));
    const std::size_t bytes = layout.span_bytes.back() + align;
    at += (bytes + kBeginBytes - 1) / kBeginBytes * kBeginBytes;
  }
  // Never a whole number of pages: equal tensors of all sets would share few cache sets.
  layout.stride = at % 4096 == 0 ? at + kBeginBytes : at;
  return layout;
}

Ring::Ring(Device& device, const Case& which, const TensorImages& images, std::int64_t sets,
           std::uint64_t seed)
    : Ring(device, images, sets, lay_out(which, seed)) {}

Ring::Ring(Device& device, const TensorImages& images, std::int64_t sets, Layout layout)
    : device_(&device),
      images_(&images),
      sets_(sets),
      tensors_(std::move(layout.tensors)),
      offsets_(std::move(layout.offsets)),
      span_bytes_(std::move(layout.span_bytes)),
      has_pristine_set_(device.queue().asynchronous && restores()),
      stride_(layout.stride),
      memory_(device,
              layout.base +
                  layout.stride * static_cast<std::size_t>(sets + (has_pristine_set_ ? 1 : 0)),
              Place::low),
      base_(memory_.pointer() + layout.base) {
  find_results();
  fill();
}

void Ring::find_results() {
  for (std::size_t ordinal = 0; ordinal < tensors_.size(); ++ordinal) {
    if (!is_result(tensors_[ordinal]->role) || span_bytes_[ordinal] == 0) continue;
    if (results_.parts.empty()) results_.offset = offsets_[ordinal];
    results_.end = offsets_[ordinal] + span_bytes_[ordinal];
    results_.parts.push_back({tensors_[ordinal]->name, offsets_[ordinal] - results_.offset,
                              span_bytes_[ordinal], tensors_[ordinal]->role == Role::out});
  }
}

void Ring::reset_set(std::int64_t set, std::byte poison) {
  restore(set, 1);
  for (std::size_t ordinal = 0; ordinal < tensors_.size(); ++ordinal)
    if (tensors_[ordinal]->role == Role::out) fill_output(ordinal, set, poison);
}

/// Its beginning, which is doubled within the device's memory where that is quicker.
void Ring::fill_output(std::size_t ordinal, std::int64_t set, std::byte value) {
  const DevicePointer begin = data(ordinal, set);
  const std::size_t size_bytes = span_bytes_[ordinal];
  std::size_t filled = size_bytes;
  if (device_->queue().asynchronous) filled = std::min(filled, kFilledBytes);
  const std::vector<std::byte> bytes(filled, value);
  device_->copy_to(begin, bytes.data(), filled);
  while (filled < size_bytes) {
    const std::size_t more = std::min(filled, size_bytes - filled);
    device_->copy_within(begin + filled, begin, more);
    filled += more;
  }
}

void Ring::reset_results(std::byte poison) {
  reset_set(0, poison);
  for (std::int64_t set = 1; set < sets_; ++set)
    device_->copy_within(results_of(set), results_of(0), results_.size());
}

void Ring::fill() {
  const bool within = device_->queue().asynchronous;
  const std::int64_t written = within ? 1 : sets_;
  for (std::int64_t set = 0; set < written; ++set) {
    for (std::size_t ordinal = 0; ordinal < tensors_.size(); ++ordinal) write(ordinal, set);
  }
  if (!within) return;
  const std::int64_t all = sets_ + (has_pristine_set_ ? 1 : 0);
  const std::size_t bytes = offsets_.back() + span_bytes_.back();
  for (std::int64_t set = 1; set < all; ++set)
    device_->copy_within(base_ + static_cast<std::size_t>(set) * stride_, base_, bytes);
}

void Ring::write(std::size_t ordinal, std::int64_t set) {
  const auto image = images_->find(tensors_[ordinal]->name);
  if (image == images_->end() || image->second.bytes.empty()) return;
  copy_to_device(*device_, data(ordinal, set), image->second);
}

bool Ring::changes(std::size_t ordinal) const {
  const Role role = tensors_[ordinal]->role;
  return role == Role::inout || role == Role::state;
}

bool Ring::restores() const {
  for (std::size_t ordinal = 0; ordinal < tensors_.size(); ++ordinal)
    if (changes(ordinal)) return true;
  return false;
}

void Ring::restore(std::int64_t first, std::int64_t count) {
  for (std::size_t ordinal = 0; ordinal < tensors_.size(); ++ordinal) {
    if (!changes(ordinal)) continue;
    for (std::int64_t i = 0; i < std::min(count, sets_); ++i) {
      const std::int64_t set = (first + i) % sets_;
      if (has_pristine_set_)
        device_->copy_within(data(ordinal, set), data(ordinal, sets_), span_bytes_[ordinal]);
      else
        write(ordinal, set);
    }
  }
}

}  // namespace fusetune

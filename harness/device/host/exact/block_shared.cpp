#include "harness/device/host/exact/block_shared.hpp"

#include <fmt/format.h>

namespace fusetune {

namespace {

constexpr std::uintptr_t kNearSharedBytes = 4096;
/// Variables share no 16 bytes: banks and vectors are counted from the start of each.
constexpr std::size_t kAlignment = 16;

}  // namespace

void BlockShared::set(const HostModule& module, std::uintptr_t dynamic,
                      std::int64_t dynamic_bytes) {
  variables_.clear();
  bytes_ = 0;
  for (const HostModule::SharedRange& range : module.shared())
    add(fmt::format("shared memory '{}'", range.name),
        reinterpret_cast<std::uintptr_t>(range.begin), range.size_bytes);
  if (dynamic != 0) add("dynamic shared memory", dynamic, static_cast<std::size_t>(dynamic_bytes));
}

void BlockShared::add(std::string name, std::uintptr_t begin, std::size_t size_bytes) {
  variables_.push_back({std::move(name), begin, begin + size_bytes, bytes_});
  bytes_ += (size_bytes + kAlignment - 1) / kAlignment * kAlignment;
}

const BlockShared::Variable* BlockShared::find(std::uintptr_t address) const {
  for (const Variable& variable : variables_)
    if (address >= variable.begin && address < variable.end) return &variable;
  return nullptr;
}

const BlockShared::Variable* BlockShared::find_before(std::uintptr_t address) const {
  const Variable* best = nullptr;
  for (const Variable& variable : variables_)
    if (variable.end <= address && address - variable.end < kNearSharedBytes &&
        (best == nullptr || variable.end > best->end))
      best = &variable;
  return best;
}

}  // namespace fusetune

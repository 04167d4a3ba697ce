#include "harness/verify/cache_pages.hpp"

#include <algorithm>
#include <cstring>
#include <set>

namespace fusetune {

namespace {

const TensorDecl* slots_of(const Case& which) {
  for (const TensorDecl* tensor : tensors_of(which.geometry))
    if (tensor->role == Role::in && tensor->generator.kind == Generator::Kind::named &&
        named_generator(tensor->generator.name).gives_slots &&
        shape_of(which, *tensor).elements() == which.rows())
      return tensor;
  return nullptr;
}

/// The only runtime symbol that the number of slots depends on, "" where there is no such one.
std::string symbol_of(const Case& which, const TensorDecl& slots) {
  std::string symbol;
  for (const std::string& name : slots.generator.below->names()) {
    if (which.runtime.count(name) == 0) continue;
    if (!symbol.empty()) return "";
    symbol = name;
  }
  return symbol == which.geometry.family->rows ? "" : symbol;
}

std::optional<std::int64_t> integer(const Bindings& bindings, const std::string& name) {
  const auto found = bindings.find(name);
  if (found == bindings.end()) return std::nullopt;
  const auto* value = std::get_if<std::int64_t>(&found->second);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

/// The dimension that differs between two numbers of pages, where it is one and counts them or
/// their slots.
bool find_dimension(const TensorShape& shape, std::int64_t pages, const TensorShape& other,
                    std::int64_t other_pages, std::int64_t page_slots,
                    std::optional<PageDimension>* found) {
  for (std::size_t d = 0; d < shape.dims.size(); ++d) {
    if (shape.dims[d] == other.dims[d]) continue;
    const std::int64_t per_page = shape.dims[d] == pages ? 1 : page_slots;
    if (*found || shape.dims[d] != pages * per_page || other.dims[d] != other_pages * per_page)
      return false;
    PageDimension& made = found->emplace();
    made.per_page = per_page;
    for (std::size_t i = 0; i < d; ++i) made.dimension.outer *= shape.dims[i];
    for (std::size_t i = d + 1; i < shape.dims.size(); ++i) made.dimension.inner *= shape.dims[i];
  }
  return true;
}

std::int64_t slot_at(const TensorImage& slots, std::int64_t row) {
  const std::byte* const from = slots.element(row);
  if (slots.element_bytes() == 8) {
    std::int64_t slot = 0;
    std::memcpy(&slot, from, sizeof slot);
    return slot;
  }
  std::int32_t slot = 0;
  std::memcpy(&slot, from, sizeof slot);
  return slot;
}

}  // namespace

std::optional<CachePages> CachePages::of(const Case& which) {
  const TensorDecl* const slots = slots_of(which);
  if (slots == nullptr) return std::nullopt;
  CachePages pages;
  pages.slots_ = slots->name;
  pages.symbol_ = symbol_of(which, *slots);
  const auto page_slots = integer(which.geometry.statics, "page_size");
  const auto count = integer(which.runtime, pages.symbol_);
  if (!page_slots || !count || *count < 2) return std::nullopt;
  pages.page_slots_ = *page_slots;
  pages.count_ = *count;
  const Case other = pages.with(which, *count - 1);
  const std::int64_t below =
      slots->generator.below->eval_int(scope_of(which.geometry, nullptr, nullptr, &which));
  if (below != *count * *page_slots) return std::nullopt;
  for (const TensorDecl* tensor : tensors_of(which.geometry)) {
    if (tensor->role == Role::workspace) continue;
    std::optional<PageDimension> dimension;
    if (!find_dimension(shape_of(which, *tensor), *count, shape_of(other, *tensor), *count - 1,
                        *page_slots, &dimension))
      return std::nullopt;
    if (dimension) pages.dimensions_.emplace(tensor->name, *dimension);
  }
  return pages;
}

std::optional<PageDimension> CachePages::dimension(const std::string& tensor) const {
  const auto found = dimensions_.find(tensor);
  return found == dimensions_.end() ? std::nullopt : std::optional(found->second);
}

Case CachePages::with(Case which, std::int64_t pages) const {
  which.runtime[symbol_] = pages;
  return which;
}

std::vector<std::int64_t> CachePages::touched(const TensorImages& inputs, std::int64_t first,
                                              std::int64_t rows) const {
  const TensorImage& slots = inputs.at(slots_);
  std::set<std::int64_t> pages;
  for (std::int64_t row = first; row < first + rows; ++row)
    if (const std::int64_t slot = slot_at(slots, row); slot >= 0) pages.insert(slot / page_slots_);
  return {pages.begin(), pages.end()};
}

std::vector<std::int64_t> CachePages::filled_up(std::vector<std::int64_t> pages,
                                                std::int64_t count) const {
  const std::set<std::int64_t> present(pages.begin(), pages.end());
  for (std::int64_t page = 0; std::ssize(pages) < count; ++page)
    if (present.count(page) == 0) pages.push_back(page);
  std::sort(pages.begin(), pages.end());
  return pages;
}

void CachePages::rename_slots(const std::vector<std::int64_t>& pages, TensorImages* inputs) const {
  TensorImage& slots = inputs->at(slots_);
  std::byte* const data = slots.bytes.data();
  for (std::int64_t row = 0; row < slots.shape.elements(); ++row) {
    const std::int64_t slot = slot_at(slots, row);
    if (slot < 0) continue;
    const auto place = std::lower_bound(pages.begin(), pages.end(), slot / page_slots_);
    const std::int64_t renamed = (place - pages.begin()) * page_slots_ + slot % page_slots_;
    std::memcpy(data + slots.offset_of(row), &renamed,
                static_cast<std::size_t>(slots.element_bytes()));
  }
}

}  // namespace fusetune

#include "harness/verify/named_generators.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>

#include "harness/verify/generators.hpp"

namespace fusetune {

namespace {

constexpr int kRounds = 4;

std::vector<std::int64_t> positions(const NamedRequest& request) {
  const RowLayout layout(request.shape);
  const auto below = static_cast<std::uint64_t>(request.below);
  std::vector<std::int64_t> values;
  for (std::uint64_t row = 0; row < layout.rows; ++row) {
    const std::uint64_t start = hash_at(request.key, row) % below;
    for (std::uint64_t i = 0; i < layout.row_elements; ++i)
      values.push_back(static_cast<std::int64_t>((start + i) % below));
  }
  return values;
}

std::vector<std::int64_t> slots(const NamedRequest& request) {
  const std::int64_t elements = request.shape.elements();
  if (elements > request.below)
    throw UserError(fmt::format("{} rows do not fit into {} slots", elements, request.below));
  // Runs of slots, half of them of one, in any order.
  std::vector<std::int64_t> starts;
  const auto longest = static_cast<std::uint64_t>(2 * std::max<std::int64_t>(request.page, 8));
  for (std::int64_t slot = 0; slot < request.below;) {
    const std::uint64_t bits = hash_at(request.key, starts.size() + 1);
    starts.push_back(slot);
    slot += bits % 2 == 0 ? 1 : 1 + static_cast<std::int64_t>((bits >> 8) % longest);
  }
  const Permutation place(starts.size(), request.key);
  std::vector<std::int64_t> values;
  for (std::uint64_t run = 0; std::ssize(values) < elements; ++run) {
    const auto at = static_cast<std::size_t>(place(run));
    const std::int64_t end = at + 1 < starts.size() ? starts[at + 1] : request.below;
    for (std::int64_t slot = starts[at]; slot < end && std::ssize(values) < elements; ++slot)
      values.push_back(slot);
  }
  // A padded row of a batch has no slot.
  if (elements > 2) values[hash_at(request.key, 0) % static_cast<std::uint64_t>(elements)] = -1;
  return values;
}

/// Rows of one page follow each other, and so do their slots; no page has two such runs. Runs begin
/// at the first slot of a page or later; between them, a row may have no slot.
std::vector<std::int64_t> slot_runs(const NamedRequest& request) {
  const std::int64_t elements = request.shape.elements(), page = request.page;
  if (page < 1) throw UserError("runs of slots need the static symbol page_size, of at least 1");
  std::int64_t pages = request.below / page;
  if (elements > pages * page)
    throw UserError(fmt::format("{} rows do not fit into {} pages of {}", elements, pages, page));
  const Permutation place(static_cast<std::uint64_t>(pages), request.key);
  std::vector<std::int64_t> values;
  for (std::uint64_t run = 0; std::ssize(values) < elements; ++run) {
    const std::uint64_t bits = hash_at(request.key, run);
    const std::int64_t rest = elements - std::ssize(values);
    if (elements > 2 && run > 0 && bits % 4 == 0) {
      values.push_back(-1);
      if (rest == 1) break;
    }
    // Later pages must take what this one leaves.
    --pages;
    const std::int64_t least = std::max<std::int64_t>(1, rest - pages * page);
    const auto choice = static_cast<std::int64_t>(bits >> 8 & 0xffff);
    const std::int64_t first = (bits >> 2) % 3 == 0 ? 0 : choice % (page - least + 1);
    const std::int64_t start = static_cast<std::int64_t>(place(run)) * page + first;
    const auto longer = static_cast<std::int64_t>(bits >> 24 & 0xffff);
    const std::int64_t length = least + longer % (page - first - least + 1);
    for (std::int64_t i = 0; i < length && std::ssize(values) < elements; ++i)
      values.push_back(start + i);
  }
  return values;
}

std::vector<std::int64_t> permutation(const NamedRequest& request) {
  const auto elements = static_cast<std::uint64_t>(request.shape.elements());
  const Permutation place(elements, request.key);
  std::vector<std::int64_t> values;
  for (std::uint64_t i = 0; i < elements; ++i)
    values.push_back(static_cast<std::int64_t>(place(i)));
  return values;
}

}  // namespace

const NamedFunction* find_named_generator(std::string_view name) {
  static const std::map<std::string, NamedFunction, std::less<>> registry = {
      {"permutation", permutation},
      {"positions", positions},
      {"slot_runs", slot_runs},
      {"slots", slots}};
  const auto found = registry.find(name);
  return found == registry.end() ? nullptr : &found->second;
}

std::vector<std::int64_t> named_values(const Case& which, const TensorDecl& tensor,
                                       std::uint64_t key) {
  const NamedFunction* function = find_named_generator(tensor.generator.name);
  if (function == nullptr)
    throw std::logic_error(fmt::format("no generator '{}'", tensor.generator.name));
  NamedRequest request;
  request.shape = shape_of(which, tensor);
  request.key = key;
  if (request.shape.elements() == 0) return {};
  const auto page = which.geometry.statics.find("page_size");
  if (page != which.geometry.statics.end())
    if (const auto* size = std::get_if<std::int64_t>(&page->second)) request.page = *size;
  if (tensor.generator.below) {
    request.below =
        tensor.generator.below->eval_int(scope_of(which.geometry, nullptr, nullptr, &which));
    if (request.below < 1)
      throw UserError(fmt::format("{}: no values below {}", tensor.name, request.below));
  }
  return (*function)(request);
}

Permutation::Permutation(std::uint64_t size, std::uint64_t key)
    : size_(size),
      key_(key),
      bits_(static_cast<int>(std::bit_width(size == 0 ? size : size - 1))) {}

std::uint64_t Permutation::scramble(std::uint64_t value) const {
  const std::uint64_t mask = bits_ >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits_) - 1;
  // Each step can be undone within `bits_` bits, so the whole is a permutation of them.
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    value = (value + hash_at(key_, 2 * round)) & mask;
    value = (value * (hash_at(key_, 2 * round + 1) | 1)) & mask;
    value ^= value >> (bits_ / 2 + 1);
  }
  return value;
}

std::uint64_t Permutation::operator()(std::uint64_t place) const {
  // What falls beyond the end goes round again: at most half of all do at each turn.
  do place = scramble(place);
  while (place >= size_);
  return place;
}

}  // namespace fusetune

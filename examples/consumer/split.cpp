#include "split.hpp"

#include <algorithm>

namespace {

constexpr std::uint16_t kPoison = 0xdead;

/// Different in every element of its row and in neighbouring rows, and never the poison.
std::uint16_t pattern(std::int64_t row, std::int64_t column, std::uint16_t which) {
  return static_cast<std::uint16_t>((row * 977 + column * 5 + which) % 50000);
}

std::vector<std::uint16_t> input(std::int64_t rows, std::int64_t width, std::uint16_t which) {
  std::vector<std::uint16_t> content;
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t column = 0; column < width; ++column)
      content.push_back(pattern(row, column, which));
  return content;
}

std::vector<std::uint16_t> columns(const std::vector<std::uint16_t>& from, std::int64_t rows,
                                   std::int64_t first, std::int64_t count) {
  const std::int64_t width =
      static_cast<std::int64_t>(from.size()) / std::max<std::int64_t>(rows, 1);
  std::vector<std::uint16_t> part;
  for (std::int64_t row = 0; row < rows; ++row)
    part.insert(part.end(), from.begin() + row * width + first,
                from.begin() + row * width + first + count);
  return part;
}

}  // namespace

Split::Split(fusetune::runtime::Device& device, const Shape& shape)
    : device_(device), shape_(shape) {
  const std::int64_t rows = shape.tokens;
  const auto qkvz = input(rows, shape.qkvz_width(), 1);
  const auto ba = input(rows, 2 * shape.nv, 30000);
  add("qkvz", shape.qkvz_width(), qkvz, true);
  add("ba", 2 * shape.nv, ba, true);
  add("mixed_qkv", shape.qkv_width(), columns(qkvz, rows, 0, shape.qkv_width()), false);
  add("z", shape.z_width(), columns(qkvz, rows, shape.qkv_width(), shape.z_width()), false);
  add("b", shape.nv, columns(ba, rows, 0, shape.nv), false);
  add("a", shape.nv, columns(ba, rows, shape.nv, shape.nv), false);
  arguments_.symbols["tokens"] = rows;
}

Split::~Split() {
  for (void* memory : memory_) device_.release(memory);
}

void Split::add(const std::string& name, std::int64_t width, std::vector<std::uint16_t> content,
                bool is_input) {
  const std::size_t bytes = content.size() * sizeof(std::uint16_t);
  memory_.push_back(device_.allocate(std::max<std::size_t>(bytes, 1)));
  arguments_.tensors[name] = {memory_.back(), width};
  if (is_input)
    device_.copy_to(memory_.back(), content.data(), bytes);
  else
    results_.push_back({name, width, memory_.back(), std::move(content)});
}

void Split::poison() {
  for (const Buffer& result : results_) {
    const std::vector<std::uint16_t> content(result.expected.size(), kPoison);
    device_.copy_to(result.memory, content.data(), content.size() * sizeof(std::uint16_t));
  }
}

std::vector<std::string> Split::wrong_results() const {
  std::vector<std::string> wrong;
  for (const Buffer& result : results_) {
    std::vector<std::uint16_t> found(result.expected.size());
    device_.copy_from(found.data(), result.memory, found.size() * sizeof(std::uint16_t));
    const auto [at, expected] = std::mismatch(found.begin(), found.end(), result.expected.begin());
    if (at == found.end()) continue;
    const std::int64_t element = at - found.begin();
    wrong.push_back(result.name + " at row " + std::to_string(element / result.width) +
                    ", column " + std::to_string(element % result.width) + ": " +
                    std::to_string(*at) + " instead of " + std::to_string(*expected));
  }
  return wrong;
}

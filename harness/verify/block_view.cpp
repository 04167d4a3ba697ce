#include "harness/verify/block_view.hpp"

#include <algorithm>
#include <cstring>

namespace fusetune {

namespace {

Case at_row_count(const Case& which, std::int64_t rows) {
  Case one = which;
  one.runtime[which.geometry.family->rows] = rows;
  return one;
}

}  // namespace

BlockView::BlockView(const Case& which) : which_(which), pages_(CachePages::of(which)) {
  const std::int64_t rows = which.rows();
  const Case other = at_row_count(which, rows - 1);
  for (const TensorDecl* tensor : tensors_of(which.geometry)) {
    if (tensor->role == Role::workspace) continue;
    auto& dimension = dimensions_[tensor->name] =
        row_dimension(*tensor, shape_of(which, *tensor), rows, shape_of(other, *tensor), rows - 1);
    // No cache of those that are known has both.
    if (dimension && pages_ && pages_->dimension(tensor->name)) pages_.reset();
  }
}

std::vector<Block> BlockView::blocks(const std::vector<const TensorImages*>& inputs,
                                     std::int64_t first, std::int64_t rows) const {
  std::vector<Block> blocks(inputs.size(), {first, rows, {}});
  if (!pages_) return blocks;
  std::int64_t most = 1;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    blocks[i].pages = pages_->touched(*inputs[i], first, rows);
    most = std::max<std::int64_t>(most, std::ssize(blocks[i].pages));
  }
  for (Block& block : blocks) block.pages = pages_->filled_up(block.pages, most);
  return blocks;
}

Case BlockView::case_of(const Block& block) const {
  const Case rows = at_row_count(which_, block.rows);
  return pages_ ? pages_->with(rows, std::ssize(block.pages)) : rows;
}

void BlockView::for_runs(const std::string& tensor, std::int64_t elements, const Block& block,
                         const UseRun& use) const {
  if (const auto& dimension = dimensions_.at(tensor))
    return for_rows(*dimension, {which_.rows(), block.first}, {block.rows, 0}, block.rows, use);
  const auto paged = pages_ ? pages_->dimension(tensor) : std::nullopt;
  if (!paged) return use(0, 0, elements);
  const std::int64_t per_page = paged->per_page;
  for (std::int64_t i = 0; i < std::ssize(block.pages); ++i)
    for_rows(paged->dimension,
             {pages_->count() * per_page, block.pages[static_cast<std::size_t>(i)] * per_page},
             {std::ssize(block.pages) * per_page, i * per_page}, per_page, use);
}

TensorImage BlockView::slice(const std::string& tensor, const TensorImage& whole,
                             const TensorShape& shape, const Block& block) const {
  if (is_whole(tensor)) return whole;
  TensorImage part(shape);
  std::byte* const to = part.bytes.data();
  for_runs(tensor, 0, block, [&](std::int64_t from, std::int64_t at, std::int64_t elements) {
    std::memcpy(to + part.offset_of(at), whole.element(from),
                static_cast<std::size_t>(elements * whole.element_bytes()));
  });
  return part;
}

void BlockView::rename_slots(const Block& block, TensorImages* inputs) const {
  if (pages_) pages_->rename_slots(block.pages, inputs);
}

}  // namespace fusetune

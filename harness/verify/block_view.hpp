#pragma once
// A block of rows of a case: what it has of each tensor, by its rows or by the pages that they
// touch.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/verify/cache_pages.hpp"
#include "harness/verify/images.hpp"
#include "harness/verify/row_view.hpp"

namespace fusetune {

/// What a block has of one pass.
struct Block {
  std::int64_t first = 0, rows = 0;
  std::vector<std::int64_t> pages;  ///< ascending; none where the case has no pages
};

/// Elements that lie in one piece in the whole and in a block.
using UseRun = std::function<void(std::int64_t whole, std::int64_t block, std::int64_t elements)>;

class BlockView {
 public:
  /// Throws std::runtime_error where a tensor follows the rows otherwise than in one dimension.
  explicit BlockView(const Case& which);

  bool has_rows(const std::string& tensor) const { return dimensions_.at(tensor).has_value(); }
  /// Neither rows nor pages: every block has all of it.
  bool is_whole(const std::string& tensor) const {
    return !has_rows(tensor) && !(pages_ && pages_->dimension(tensor));
  }

  /// Blocks of equal size for several passes, whose slots are not the same.
  std::vector<Block> blocks(const std::vector<const TensorImages*>& inputs, std::int64_t first,
                            std::int64_t rows) const;
  Case case_of(const Block& block) const;

  /// `elements` are those of a tensor that every block has whole.
  void for_runs(const std::string& tensor, std::int64_t elements, const Block& block,
                const UseRun& use) const;
  /// The block's part of an image; `shape` is that of the block's case.
  TensorImage slice(const std::string& tensor, const TensorImage& whole, const TensorShape& shape,
                    const Block& block) const;
  /// Slots of the whole become those of the block's pages.
  void rename_slots(const Block& block, TensorImages* inputs) const;

 private:
  Case which_;
  std::map<std::string, std::optional<RowDimension>> dimensions_;
  std::optional<CachePages> pages_;
};

}  // namespace fusetune

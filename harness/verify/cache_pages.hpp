#pragma once
// The pages of a cache that some rows of a case touch: rows can then be judged with these pages
// alone.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/verify/images.hpp"
#include "harness/verify/row_view.hpp"

namespace fusetune {

/// A dimension of a tensor that counts pages, or the slots of pages one after the other.
struct PageDimension {
  RowDimension dimension;
  std::int64_t per_page = 1;
};

class CachePages {
 public:
  /// Of a case in which an input says the slot of each row (a generator that gives slots), below a
  /// runtime symbol times the static symbol page_size. Nothing for others, and where a tensor
  /// follows that symbol in another way.
  static std::optional<CachePages> of(const Case& which);

  /// Nothing of a tensor that has no pages.
  std::optional<PageDimension> dimension(const std::string& tensor) const;
  std::int64_t count() const { return count_; }

  /// The case with so many pages.
  Case with(Case which, std::int64_t pages) const;

  /// Those of `rows` rows from `first` on, ascending.
  std::vector<std::int64_t> touched(const TensorImages& inputs, std::int64_t first,
                                    std::int64_t rows) const;
  /// `pages` and as many others as make it `count` of them.
  std::vector<std::int64_t> filled_up(std::vector<std::int64_t> pages, std::int64_t count) const;

  /// Turns slots into those of a cache that has nothing but `pages`, in this order.
  void rename_slots(const std::vector<std::int64_t>& pages, TensorImages* inputs) const;

 private:
  std::string slots_, symbol_;
  std::int64_t count_ = 0, page_slots_ = 1;
  std::map<std::string, PageDimension> dimensions_;
};

}  // namespace fusetune

#pragma once
// Finds the items of a growing list that are of one variant, without looking through all of it.

#include <cstddef>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace fusetune {

/// Of items with `geometry` and `variant`, which stay as they are; `target_of` tells apart those of
/// one variant. Lists that got shorter are read again.
class VariantIndex {
 public:
  /// The place of the first such item, or the list's size.
  template <class Item, class TargetOf>
  std::size_t find(const std::vector<Item>& list, std::size_t geometry, std::size_t variant,
                   const std::string& target, TargetOf target_of) {
    if (list.size() < known_) {
      places_.clear();
      known_ = 0;
    }
    for (; known_ < list.size(); ++known_) {
      const Item& item = list[known_];
      places_.emplace(std::tuple(item.geometry, item.variant, target_of(item)), known_);
    }
    const auto place = places_.find(std::tuple(geometry, variant, target));
    return place == places_.end() ? list.size() : place->second;
  }

  template <class Item>
  std::size_t find(const std::vector<Item>& list, std::size_t geometry, std::size_t variant) {
    return find(list, geometry, variant, "", [](const Item&) { return std::string(); });
  }

 private:
  std::map<std::tuple<std::size_t, std::size_t, std::string>, std::size_t> places_;
  std::size_t known_ = 0;  ///< items that were read
};

}  // namespace fusetune

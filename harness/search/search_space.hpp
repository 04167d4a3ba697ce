#pragma once
// The variants of one geometry as points of a grid with holes: what search strategies see of them.

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace fusetune {

struct SearchAxis {
  std::string name;
  std::size_t values = 0;  ///< how many
  bool ordered = false;    ///< numbers in their order; the values of others are all alike far apart
};

/// Per axis the position of its value.
using SearchPoint = std::vector<std::uint16_t>;

class SearchSpace {
 public:
  /// `points` are different, those that constraints have left. Throws std::invalid_argument where
  /// one has no place on the axes, or is there twice.
  SearchSpace(std::vector<SearchAxis> axes, std::vector<SearchPoint> points);

  std::size_t size() const { return points_.size(); }
  const std::vector<SearchAxis>& axes() const { return axes_; }
  const SearchPoint& point(std::size_t index) const { return points_[index]; }

  /// The points one step away: along an ordered axis the next that is there in either direction,
  /// along the others every value. In the order of the axes.
  std::vector<std::size_t> neighbours(std::size_t index) const;

 private:
  struct Hash {
    std::size_t operator()(const SearchPoint& point) const;
  };
  /// Whether the point is there; adds it to the list.
  bool add_if_there(const SearchPoint& point, std::vector<std::size_t>& list) const;

  std::vector<SearchAxis> axes_;
  std::vector<SearchPoint> points_;
  std::unordered_map<SearchPoint, std::size_t, Hash> places_;
};

}  // namespace fusetune

#include "harness/search/search_space.hpp"

#include <stdexcept>
#include <utility>

#include "harness/base/hash.hpp"

namespace fusetune {

std::size_t SearchSpace::Hash::operator()(const SearchPoint& point) const {
  return hash64(point.data(), point.size() * sizeof(point[0]), 0);
}

SearchSpace::SearchSpace(std::vector<SearchAxis> axes, std::vector<SearchPoint> points)
    : axes_(std::move(axes)), points_(std::move(points)) {
  places_.reserve(points_.size());
  for (std::size_t i = 0; i < points_.size(); ++i) {
    if (points_[i].size() != axes_.size())
      throw std::invalid_argument("a point has another number of axes than its space");
    for (std::size_t a = 0; a < axes_.size(); ++a)
      if (points_[i][a] >= axes_[a].values)
        throw std::invalid_argument("a point has no place on the axis " + axes_[a].name);
    if (!places_.emplace(points_[i], i).second)
      throw std::invalid_argument("a point is there twice");
  }
}

bool SearchSpace::add_if_there(const SearchPoint& point, std::vector<std::size_t>& list) const {
  const auto place = places_.find(point);
  if (place == places_.end()) return false;
  list.push_back(place->second);
  return true;
}

std::vector<std::size_t> SearchSpace::neighbours(std::size_t index) const {
  std::vector<std::size_t> list;
  SearchPoint point = points_[index];
  for (std::size_t a = 0; a < axes_.size(); ++a) {
    const int here = point[a];
    const int count = static_cast<int>(axes_[a].values);
    const auto step_to = [&](int value) {
      point[a] = static_cast<std::uint16_t>(value);
      return add_if_there(point, list);
    };
    if (axes_[a].ordered) {
      for (int value = here - 1; value >= 0 && !step_to(value);) --value;
      for (int value = here + 1; value < count && !step_to(value);) ++value;
    } else {
      for (int value = 0; value < count; ++value)
        if (value != here) step_to(value);
    }
    point[a] = static_cast<std::uint16_t>(here);
  }
  return list;
}

}  // namespace fusetune

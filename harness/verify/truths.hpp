#pragma once
// The truths of a pass, by result. Copies share them until one of them is changed: they are several
// times as large as what they judge.

#include <map>
#include <memory>
#include <string>

#include "reference/reference.hpp"

namespace fusetune {

class Truths {
 public:
  using Map = std::map<std::string, reference::Truth>;

  Map::const_iterator find(const std::string& name) const { return map().find(name); }
  Map::const_iterator begin() const { return map().begin(); }
  Map::const_iterator end() const { return map().end(); }
  std::size_t size() const { return map().size(); }
  void clear() { map_.reset(); }

  /// For writing.
  Map& own() {
    if (!map_ || map_.use_count() > 1) map_ = std::make_shared<Map>(map());
    return *map_;
  }
  reference::Truth& operator[](const std::string& name) { return own()[name]; }

 private:
  const Map& map() const {
    static const Map kNone;
    return map_ ? *map_ : kNone;
  }

  std::shared_ptr<Map> map_;
};

}  // namespace fusetune

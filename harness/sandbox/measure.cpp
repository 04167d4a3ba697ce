#include "harness/sandbox/measure.hpp"

#include <system_error>
#include <utility>

namespace fusetune {

Measure active_measure(std::string name, std::string refuses) {
  return {std::move(name), std::move(refuses), true, ""};
}

Measure missing_measure(std::string name, std::string refuses, std::string why_not) {
  return {std::move(name), std::move(refuses), false, std::move(why_not)};
}

Measure measure_by(std::string name, std::string refuses, bool active, int error) {
  return {std::move(name), std::move(refuses), active,
          active ? "" : std::generic_category().message(error)};
}

Json to_json(const std::vector<Measure>& measures) {
  Json list = Json::array();
  for (const Measure& measure : measures)
    list.push_back({{"measure", measure.name},
                    {"refuses", measure.refuses},
                    {"active", measure.active},
                    {"why_not", measure.why_not}});
  return list;
}

}  // namespace fusetune

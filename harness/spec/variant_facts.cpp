#include "harness/spec/variant_facts.hpp"

namespace fusetune {

const std::vector<std::string>& code_fact_names() {
  static const std::vector<std::string> names = {"vgpr",           "sgpr",      "vgpr_spills",
                                                 "sgpr_spills",    "lds_bytes", "scratch_bytes",
                                                 "occupancy_waves"};
  return names;
}

const std::vector<std::string>& traffic_fact_names() {
  static const std::vector<std::string> names = {"coalescing_percent",       "load_bytes_per_lane",
                                                 "load_bytes_per_lane_min",  "store_bytes_per_lane",
                                                 "store_bytes_per_lane_min", "moved_percent",
                                                 "lds_conflict_percent",     "barriers",
                                                 "wave_operations"};
  return names;
}

Vocabulary with_facts(Vocabulary names) {
  for (const auto* facts : {&code_fact_names(), &traffic_fact_names()})
    for (const std::string& name : *facts)
      if (names.symbols().count(name) == 0) names.add(name, {}, reach::facts);
  return names;
}

}  // namespace fusetune

#include "harness/gate/facts_entry.hpp"

#include "harness/spec/variant_facts.hpp"

namespace fusetune {

const std::vector<std::string>& static_fact_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = code_fact_names();
    all.insert(all.end(), {"agpr", "code_bytes", "load_instructions", "store_instructions"});
    all.insert(all.end(), traffic_fact_names().begin(), traffic_fact_names().end());
    all.push_back("moved_bytes");
    return all;
  }();
  return names;
}

}  // namespace fusetune

#include "harness/device/device_json.hpp"

namespace fusetune {

Json to_json(const DeviceProperties& properties) {
  return Json{{"name", properties.name},
              {"target", properties.target.name},
              {"cu_count", properties.facts.cu_count},
              {"lds_bytes_max", properties.facts.lds_bytes_max},
              {"block_threads_max", properties.facts.block_threads_max},
              {"cache_bytes", properties.cache_bytes},
              {"conditions", properties.conditions}};
}

DeviceProperties device_properties_from_json(const Json& json) {
  DeviceProperties properties;
  properties.name = json.at("name").get<std::string>();
  properties.target = parse_target(json.at("target").get<std::string>());
  properties.facts.cu_count = json.at("cu_count").get<std::int64_t>();
  properties.facts.lds_bytes_max = json.at("lds_bytes_max").get<std::int64_t>();
  properties.facts.block_threads_max = json.at("block_threads_max").get<std::int64_t>();
  properties.cache_bytes = json.at("cache_bytes").get<std::int64_t>();
  properties.conditions = json.at("conditions");
  return properties;
}

}  // namespace fusetune

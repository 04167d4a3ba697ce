// Calibrations between processes, and in the store's folder.

#include <stdexcept>

#include "harness/measure/calibration.hpp"

namespace fusetune {

namespace {

Json to_json(const std::vector<Bandwidth>& list) {
  Json json = Json::array();
  for (const Bandwidth& one : list)
    json.push_back({{"mix", one.mix},
                    {"read_share", one.read_share},
                    {"bytes", one.bytes},
                    {"gb_s", one.gb_s}});
  return json;
}

std::vector<Bandwidth> bandwidths_from(const Json& json) {
  std::vector<Bandwidth> list;
  for (const Json& one : json)
    list.push_back({one.at("mix"), one.at("read_share"), one.at("bytes"), one.at("gb_s")});
  return list;
}

}  // namespace

Json to_json(const Calibration& calibration) {
  Json floors = Json::array();
  for (const LaunchFloor& one : calibration.floors)
    floors.push_back({{"path", one.path}, {"us", one.us}});
  Json resolution = Json::array();
  for (const Resolution& one : calibration.resolution)
    resolution.push_back(
        {{"launch_us", one.launch_us}, {"ratio", one.ratio}, {"half_width", one.half_width}});
  return Json{{"status", to_string(calibration.outcome.status)},
              {"message", calibration.outcome.message},
              {"asynchronous", calibration.asynchronous},
              {"tick_us", calibration.tick_us},
              {"floors", std::move(floors)},
              {"cache_bytes_said", calibration.cache_bytes_said},
              {"cache_bytes", calibration.cache_bytes},
              {"cache_sweep", to_json(calibration.cache_sweep)},
              {"bandwidth", to_json(calibration.bandwidth)},
              {"resolution", std::move(resolution)},
              {"core_mhz", calibration.core_mhz},
              {"free_bytes", calibration.free_bytes ? Json(*calibration.free_bytes) : Json()},
              {"other_users", calibration.other_users ? Json(*calibration.other_users) : Json()},
              {"gate_share", calibration.gate_share()},
              {"can_gate", calibration.can_gate()}};
}

Calibration calibration_from_json(const Json& json) {
  Calibration calibration;
  const auto name = json.at("status").get<std::string>();
  const auto status = status_from_string(name);
  if (!status) throw std::invalid_argument("a calibration of unknown status " + name);
  calibration.outcome = {*status, json.at("message").get<std::string>()};
  json.at("asynchronous").get_to(calibration.asynchronous);
  json.at("tick_us").get_to(calibration.tick_us);
  for (const Json& one : json.at("floors"))
    calibration.floors.push_back({one.at("path"), one.at("us")});
  json.at("cache_bytes_said").get_to(calibration.cache_bytes_said);
  json.at("cache_bytes").get_to(calibration.cache_bytes);
  calibration.cache_sweep = bandwidths_from(json.at("cache_sweep"));
  calibration.bandwidth = bandwidths_from(json.at("bandwidth"));
  for (const Json& one : json.at("resolution"))
    calibration.resolution.push_back({one.at("launch_us"), one.at("ratio"), one.at("half_width")});
  json.at("core_mhz").get_to(calibration.core_mhz);
  if (const Json& free = json.at("free_bytes"); !free.is_null())
    calibration.free_bytes = free.get<std::int64_t>();
  if (const Json& users = json.at("other_users"); !users.is_null())
    calibration.other_users = users.get<std::vector<std::string>>();
  return calibration;
}

}  // namespace fusetune

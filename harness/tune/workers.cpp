#include "harness/tune/workers.hpp"

#include <map>
#include <memory>

#include "harness/base/error.hpp"
#include "harness/process/worker_pool.hpp"
#include "harness/tune/compile_stage.hpp"
#include "harness/tune/golden_stage.hpp"
#include "harness/tune/proof_stage.hpp"
#include "harness/tune/race_stage.hpp"

namespace fusetune {

namespace {

Json describe(const DeviceProperties& properties) {
  return Json{{"name", properties.name},
              {"target", properties.target.name},
              {"cu_count", properties.facts.cu_count},
              {"lds_bytes_max", properties.facts.lds_bytes_max},
              {"block_threads_max", properties.facts.block_threads_max},
              {"cache_bytes", properties.cache_bytes},
              {"conditions", properties.conditions}};
}

/// Opens each device once and keeps it.
class DeviceRole {
 public:
  Json handle(const Json& request, const std::function<void(const Json&)>& progress) {
    Device& device = device_for(request.at("device").get<std::string>());
    const std::string op = request.at("op").get<std::string>();
    if (op == "properties") return describe(device.properties());
    if (op == "prove") return handle_prove_request(device, request, progress);
    if (op == "golden") return handle_golden_request(device, request, progress);
    if (op == "race") return handle_race_request(device, request);
    throw UserError("a device worker does not know the request '" + op + "'");
  }

 private:
  Device& device_for(const std::string& name) {
    std::unique_ptr<Device>& device = devices_[name];
    if (!device) device = open_device(name);
    return *device;
  }

  std::map<std::string, std::unique_ptr<Device>> devices_;
};

}  // namespace

int run_worker(const std::string& role, int in_fd, int out_fd) {
  if (role == "compile")
    return serve_worker(in_fd, out_fd,
                        [](const Json& request, const std::function<void(const Json&)>&) {
                          return handle_compile_request(request);
                        });
  if (role == "device") {
    DeviceRole device;
    return serve_worker(in_fd, out_fd, [&device](const Json& request, const auto& progress) {
      return device.handle(request, progress);
    });
  }
  throw UserError(unknown_name("worker role", role, {"compile", "device"}));
}

}  // namespace fusetune

#include "harness/tune/workers.hpp"

#include <stdlib.h>

#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/device/device_json.hpp"
#include "harness/device/gpu.hpp"
#include "harness/process/worker_pool.hpp"
#include "harness/tune/calibration_stage.hpp"
#include "harness/tune/compile_stage.hpp"
#include "harness/tune/containment.hpp"
#include "harness/tune/golden_stage.hpp"
#include "harness/tune/mutant_proof.hpp"
#include "harness/tune/proof_stage.hpp"
#include "harness/tune/race_stage.hpp"
#include "harness/tune/traffic_stage.hpp"

namespace fusetune {

namespace {

/// Opens each device once and keeps it.
class DeviceRole {
 public:
  DeviceRole(std::filesystem::path scratch, NotePage& note)
      : scratch_(std::move(scratch)), note_(note) {}

  Json handle(const Json& request) {
    const std::string name = request.value("device", "host");
    const bool lists_gpus = request.at("op") == "gpus";
    contain(lists_gpus || is_gpu(name));
    if (lists_gpus) return to_json(list_gpus());
    if (request.at("op") == "containment") return to_json(contained_->measures);
    Device& device = device_for(name);
    Json answer;
    try {
      answer = answer_of(device, request);
    } catch (const std::exception& error) {
      if (!device.lost()) throw;
      answer["error"] = error.what();
    }
    // A fault stays with the process.
    if (device.lost() && answer.is_object()) answer["retire"] = true;
    return answer;
  }

 private:
  /// The first request decides what this process gives up: a driver needs more than a kernel on the
  /// host may have.
  void contain(bool gpu) {
    if (!contained_) {
      contained_ = gpu ? contain_gpu_worker() : contain_device_worker(scratch_);
      gpu_ = gpu;
    }
    if (gpu_ != gpu) throw UserError("a device worker serves GPUs or the host, not both");
  }

  Json answer_of(Device& device, const Json& request) {
    const std::string op = request.at("op").get<std::string>();
    if (op == "properties") return to_json(device.properties());
    if (op == "prove") return handle_prove_request(device, request, note_, cache_);
    if (op == "mutant") return handle_mutant_request(device, request, cache_);
    if (op == "golden") return handle_golden_request(device, request);
    if (op == "race") return handle_race_request(device, request, note_, cache_);
    if (op == "doctor") return handle_doctor_request(device, request, note_);
    if (op == "trace") return handle_trace_request(device, request);
    throw UserError("a device worker does not know the request '" + op + "'");
  }

  Device& device_for(const std::string& name) {
    std::unique_ptr<Device>& device = devices_[name];
    if (!device) device = open_device(name, contained_->lines);
    return *device;
  }

  std::filesystem::path scratch_;
  NotePage& note_;
  ProofCache cache_;
  std::optional<ContainedDevice> contained_;
  bool gpu_ = false;
  std::map<std::string, std::unique_ptr<Device>> devices_;
};

int serve_compiler(const WorkerLinks& links, NotePage& note) {
  const std::vector<Measure> measures = contain_compile_worker();
  return serve_worker(links.in_fd, links.out_fd, note, [&measures](const Json& request) {
    if (request.at("op") == "containment") return to_json(measures);
    return handle_compile_request(request);
  });
}

}  // namespace

int run_worker(const std::string& role, const WorkerLinks& links) {
  NotePage note(links.note_fd);
  // Compilers leave their temporary files behind when they are killed.
  if (!links.scratch.empty()) ::setenv("TMPDIR", links.scratch.c_str(), 1);
  if (role == "compile") return serve_compiler(links, note);
  if (role == "device") {
    DeviceRole device(links.scratch, note);
    return serve_worker(links.in_fd, links.out_fd, note,
                        [&device](const Json& request) { return device.handle(request); });
  }
  throw UserError(unknown_name("worker role", role, {"compile", "device"}));
}

}  // namespace fusetune

#include "harness/worker/worker.hpp"

#include <malloc.h>
#include <stdlib.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <thread>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/parallel.hpp"
#include "harness/device/device_error.hpp"
#include "harness/device/device_json.hpp"
#include "harness/device/gpu.hpp"
#include "harness/process/worker_pool.hpp"
#include "harness/sandbox/sandbox.hpp"
#include "harness/selftest/mutant_proof.hpp"
#include "harness/tune/calibration_stage.hpp"
#include "harness/tune/compile_stage.hpp"
#include "harness/tune/containment.hpp"
#include "harness/tune/golden_stage.hpp"
#include "harness/tune/proof_aids.hpp"
#include "harness/tune/proof_stage.hpp"
#include "harness/tune/race_stage.hpp"
#include "harness/tune/traffic_stage.hpp"

namespace fusetune {

namespace {

constexpr std::size_t kBytesForProofs = std::size_t{512} << 20;

/// References of large cases are worth keeping: each variant needs them, and the GPU waits.
std::size_t bytes_for_far_proofs() {
  constexpr std::int64_t kMost = std::int64_t{4} << 30, kOfMachine = 32;
  const std::int64_t bytes = std::min(kMost, machine_memory_bytes() / kOfMachine);
  return std::max(kBytesForProofs, static_cast<std::size_t>(bytes));
}

/// Blocks of large cases are made and freed by all threads all the time: giving their memory back
/// and having it cleared again takes longer than filling it.
void keep_memory() {
  ::mallopt(M_MMAP_MAX, 0);
  ::mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  ::mallopt(M_TOP_PAD, 64 << 20);
}

/// A device, and what proofs on it share.
struct Opened {
  std::unique_ptr<Device> device;
  ProofAids aids;
  bool has_exchange = false;  ///< or there can be none
};

/// nullptr where kernels do not do what they should, which proofs will tell, or memory is short.
std::unique_ptr<Exchange> exchange_with(Device& device, const std::string& digest_code) {
  Outcome outcome;
  std::unique_ptr<LoadedCode> code = device.load(digest_code, &outcome);
  if (code == nullptr) return nullptr;
  try {
    return std::make_unique<DigestExchange>(device, std::move(code), bytes_for_far_proofs() / 4);
  } catch (const std::bad_alloc&) {
    return nullptr;
  } catch (const DeviceError& error) {
    if (device.lost() || error.status() != Status::verification_failed) throw;
    return nullptr;
  }
}

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
    Opened& opened = opened_for(name, request);
    Device& device = *opened.device;
    Json answer;
    try {
      answer = answer_of(opened, request);
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

  Json answer_of(Opened& opened, const Json& request) {
    Device& device = *opened.device;
    ProofAids& aids = opened.aids;
    const std::string op = request.at("op").get<std::string>();
    if (op == "properties") return to_json(device.properties());
    if (op == "prove") return handle_prove_request(device, request, note_, aids);
    if (op == "mutant") return handle_mutant_request(device, request, aids);
    if (op == "golden") return handle_golden_request(device, request);
    if (op == "race") return handle_race_request(device, request, note_, aids);
    if (op == "doctor") return handle_doctor_request(device, request, note_);
    if (op == "trace") return handle_trace_request(device, request);
    throw UserError("a device worker does not know the request '" + op + "'");
  }

  Opened& opened_for(const std::string& name, const Json& request) {
    const auto found = devices_.find(name);
    Opened& opened = found != devices_.end() ? found->second : open(name);
    const std::string digest_code = request.value("digest_code", "");
    if (opened.has_exchange || digest_code.empty()) return opened;
    opened.has_exchange = true;
    opened.aids.exchange = exchange_with(*opened.device, digest_code);
    return opened;
  }

  Opened& open(const std::string& name) {
    std::unique_ptr<Device> device = open_device(name, contained_->lines);
    const bool far = is_gpu(name);
    if (far) keep_memory();
    // Where this process may start threads. They wait most of the time.
    if (far) set_parallel_threads(static_cast<int>(std::thread::hardware_concurrency()));
    const std::size_t bytes_max = far ? bytes_for_far_proofs() : kBytesForProofs;
    return devices_.emplace(name, Opened{std::move(device), {ProofCache(bytes_max, far)}})
        .first->second;
  }

  std::filesystem::path scratch_;
  NotePage& note_;
  std::optional<ContainedDevice> contained_;
  bool gpu_ = false;
  std::map<std::string, Opened> devices_;
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

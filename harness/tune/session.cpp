#include "harness/tune/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/device/device_json.hpp"
#include "harness/device/gpu.hpp"
#include "harness/process/subprocess.hpp"
#include "harness/tune/proof_cases.hpp"

namespace fusetune {

namespace {

/// Share of the limit.
constexpr double kLimitFloor = 0.2;
/// Each has a context and the tensors of a proof in the GPU's memory.
constexpr int kGpuWorkersMax = 8;

std::chrono::milliseconds milliseconds_of(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

std::function<void(const WorkerDeath&)>& told_of_deaths() {
  static std::function<void(const WorkerDeath&)> told;
  return told;
}

/// The name of the source, which all variants of an implementation share.
std::string source_name(const Job& job) {
  const Json& texts = job.shared ? job.shared->value : job.request.at("request");
  return texts.at("source").at("name").get<std::string>();
}

/// What a worker was asked for, as far as a request says it: "prove CASE", "compile SOURCE KEY".
std::string subject_of(const Job& job) {
  const Json& request = job.request;
  std::string subject = request.value("op", "");
  try {
    if (request.contains("request"))
      subject += " " + source_name(job) + " " + request.at("key").get<std::string>();
    else if (request.contains("baseline") && job.shared)
      subject += " " + proof_case_from_json(job.shared->value.front()).which.geometry.key();
    else if (request.contains("case"))
      subject += " " + case_from_json(request.at("case")).key();
    if (request.contains("code")) subject += " " + request.at("code").get<std::string>();
  } catch (const std::exception&) {
    // Whatever is asked for in another form: the operation says enough.
  }
  return subject;
}

void tell_death(const std::string& role, const Job& job, const JobEnd& end) {
  if (!told_of_deaths()) return;
  WorkerDeath death;
  death.role = role;
  death.pid = end.pid;
  death.how = end.how == JobEnd::How::timed_out ? "timed_out" : "died";
  death.signal = end.signal;
  death.exit_code = end.exit_code;
  death.subject = subject_of(job);
  death.last_output = end.last_output;
  told_of_deaths()(death);
}

}  // namespace

std::chrono::milliseconds kernel_limit(const EngineOptions& options) {
  return milliseconds_of(options.kernel_timeout_s);
}

std::chrono::milliseconds kernel_limit_floor(const EngineOptions& options) {
  return milliseconds_of(kLimitFloor * options.kernel_timeout_s);
}

void on_worker_death(std::function<void(const WorkerDeath&)> told) {
  told_of_deaths() = std::move(told);
}

WorkerPoolOptions worker_role(const std::string& role, int workers) {
  WorkerPoolOptions options;
  options.on_death = [role](const Job& job, const JobEnd& end) { tell_death(role, job, end); };
  options.command = {self_path().string(), "worker", role};
  options.workers = workers;
  return options;
}

WorkerPoolOptions compile_workers(const EngineOptions& options) {
  WorkerPoolOptions workers = worker_role("compile", job_count(options));
#ifndef __SANITIZE_ADDRESS__  // its shadow memory alone is terabytes of address space
  workers.address_space_bytes = options.compile_memory_mib << 20;
#endif
  return workers;
}

bool is_timed_on_host(const DeviceProperties& device) {
  return device.target.platform == Platform::host;
}

WorkerPoolOptions device_workers(const DeviceProperties& device, const EngineOptions& options) {
  int workers = 1;
  if (is_timed_on_host(device)) workers = job_count(options);
  // References and comparisons of proofs are the processor's work; races are alone on the GPU.
  const Platform platform = device.target.platform;
  if (platform == Platform::amd || platform == Platform::nvidia)
    workers = std::min(job_count(options), kGpuWorkersMax);
  return worker_role("device", workers);
}

JobEnd ask_worker(const std::string& role, const Json& request, double limit_s) {
  Job job;
  job.request = request;
  job.limit = milliseconds_of(limit_s);
  return ask_worker(role, std::move(job));
}

JobEnd ask_worker(const std::string& role, Job job) {
  WorkerPool pool(worker_role(role, 1));
  JobEnd result;
  job.done = [&result](const JobEnd& end) { result = end; };
  pool.submit(std::move(job));
  pool.run([] { return false; });
  return result;
}

DeviceProperties device_properties(const std::string& device) {
  const JobEnd end = ask_worker("device", Json{{"op", "properties"}, {"device", device}}, 30);
  if (end.how != JobEnd::How::answered)
    throw UserError(
        fmt::format("the device worker for {} did not start: {}", device, end.last_output));
  if (end.answer.contains("error")) throw UserError(end.answer["error"].get<std::string>());
  return device_properties_from_json(end.answer);
}

Target target_for(const std::string& device) {
  return is_gpu(device) ? device_properties(device).target : target_of_device(device);
}

Json gpus_here() {
  const JobEnd end = ask_worker("device", Json{{"op", "gpus"}}, 60);
  if (end.how == JobEnd::How::answered && end.answer.contains("gpus")) return end.answer;
  const std::string why =
      end.how == JobEnd::How::answered ? end.answer.value("error", "no answer") : end.last_output;
  return {{"gpus", Json::array()},
          {"absent", {fmt::format("any kind: a driver ended the worker that asked: {}", why)}}};
}

Json containment_of(const std::string& role, const std::string& device) {
  try {
    const JobEnd end = ask_worker(role, Json{{"op", "containment"}, {"device", device}}, 30);
    if (end.how == JobEnd::How::answered && end.answer.is_array()) return end.answer;
  } catch (const UserError&) {  // none could be started
  }
  return Json::array();
}

int job_count(const EngineOptions& options) {
  if (options.jobs > 0) return options.jobs;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace fusetune

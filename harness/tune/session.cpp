#include "harness/tune/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "harness/base/error.hpp"
#include "harness/device/device_json.hpp"
#include "harness/process/subprocess.hpp"

namespace fusetune {

WorkerPoolOptions worker_role(const std::string& role, int workers) {
  WorkerPoolOptions options;
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
  return worker_role("device", is_timed_on_host(device) ? job_count(options) : 1);
}

JobEnd ask_worker(const std::string& role, const Json& request, double limit_s) {
  WorkerPool pool(worker_role(role, 1));
  JobEnd result;
  Job job;
  job.request = request;
  job.limit = std::chrono::milliseconds(static_cast<std::int64_t>(limit_s * 1000));
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

Json containment_of(const std::string& role) {
  const JobEnd end = ask_worker(role, Json{{"op", "containment"}}, 30);
  return end.how == JobEnd::How::answered && end.answer.is_array() ? end.answer : Json::array();
}

int job_count(const EngineOptions& options) {
  if (options.jobs > 0) return options.jobs;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace fusetune

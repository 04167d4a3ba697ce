#include "harness/tune/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "harness/base/error.hpp"
#include "harness/process/subprocess.hpp"

namespace fusetune {

WorkerPoolOptions worker_role(const std::string& role, int workers) {
  WorkerPoolOptions options;
  options.command = {self_path().string(), "worker", role};
  options.workers = workers;
  return options;
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
  DeviceProperties properties;
  properties.name = end.answer.at("name").get<std::string>();
  properties.target = parse_target(end.answer.at("target").get<std::string>());
  properties.facts.cu_count = end.answer.at("cu_count").get<std::int64_t>();
  properties.facts.lds_bytes_max = end.answer.at("lds_bytes_max").get<std::int64_t>();
  properties.facts.block_threads_max = end.answer.at("block_threads_max").get<std::int64_t>();
  properties.cache_bytes = end.answer.at("cache_bytes").get<std::int64_t>();
  properties.conditions = end.answer.at("conditions");
  return properties;
}

int job_count(const EngineOptions& options) {
  if (options.jobs > 0) return options.jobs;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace fusetune

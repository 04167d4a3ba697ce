#pragma once
// What every stage of a run works with.

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "harness/compile/code_store.hpp"
#include "harness/device/device.hpp"
#include "harness/process/worker_pool.hpp"
#include "harness/store/record_store.hpp"
#include "harness/tune/progress.hpp"

namespace fusetune {

struct EngineOptions {
  std::filesystem::path store = ".fusetune";
  std::filesystem::path results = "results";
  int jobs = 0;                   ///< compile workers and host device workers, 0: one per core
  double compile_timeout_s = 60;  ///< per variant
  /// Of each compile worker, and of each compiler that it starts; 0: no limit.
  std::int64_t compile_memory_mib = 4096;
  double kernel_timeout_s = 10;  ///< per proved case
  bool retry_failed = false;     ///< forget recorded failures and try them again
  /// Code objects beyond this go at the end of a run, those first that were not used for longest.
  std::int64_t cache_bytes_max = std::int64_t{8} << 30;
  std::uint64_t seed = 1;
  /// Own shapes above this are proved for finalists alone.
  std::int64_t proof_bytes_max = 32 << 20;
  /// Cases up to so many rows are proved with instrumented code where the device can; 0: none.
  std::int64_t exact_rows_max = 128;
};

/// Of a launch or a proved case: while nothing of its kind was seen, and what the limit from what
/// was seen is never below.
std::chrono::milliseconds kernel_limit(const EngineOptions& options);
std::chrono::milliseconds kernel_limit_floor(const EngineOptions& options);

struct Session {
  RecordStore& records;
  CodeStore& code;
  Progress& progress;
  EngineOptions options;
  std::function<bool()> stop;  ///< true once the user asked to end
};

/// Who is told of every worker of worker_role() that dies or is killed for being late; one at a
/// time, as a process has one store. Empty: nobody.
void on_worker_death(std::function<void(const WorkerDeath&)> told);

/// A pool of this executable in a worker role ("compile" or "device").
WorkerPoolOptions worker_role(const std::string& role, int workers);

/// Compile workers within their memory limit.
WorkerPoolOptions compile_workers(const EngineOptions& options);

/// Whether variants are timed on the processor that compilers and proofs run on. There nothing else
/// may run while a variant is timed; everywhere else compilation, proof and timing overlap.
bool is_timed_on_host(const DeviceProperties& device);

/// One for the simulated device, several for any other.
WorkerPoolOptions device_workers(const DeviceProperties& device, const EngineOptions& options);

/// Asks one worker one thing, outside any stage. The end says how it went.
JobEnd ask_worker(const std::string& role, const Json& request, double limit_s);
/// The job's `done` is not called.
JobEnd ask_worker(const std::string& role, Job job);

/// Properties of a device, read by a device worker: the supervisor opens no driver. Throws
/// UserError.
DeviceProperties device_properties(const std::string& device);

/// The target of a device, a GPU's as its worker reads it. Throws UserError.
Target target_for(const std::string& device);

/// The GPUs of this machine as a worker sees them: to_json(GpuList).
Json gpus_here();

/// What workers of a role give up here when they serve this device, and what this machine does not
/// offer for it: a list of {measure, refuses, active, why_not}. Empty when no worker answers.
Json containment_of(const std::string& role, const std::string& device);

/// One worker per core, or as many as asked for.
int job_count(const EngineOptions& options);

}  // namespace fusetune

// What the engine adds to each variant besides compiling and running it.

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>

#include "harness/base/hash.hpp"
#include "harness/compile/code_store.hpp"
#include "harness/process/worker_pool.hpp"
#include "harness/store/record_store.hpp"

namespace fusetune {
namespace {

/// A store in a folder of its own, removed at the end.
struct Scratch {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("fusetune-bench-" + std::to_string(::getpid()));
  ~Scratch() { std::filesystem::remove_all(path); }
};

void RecordStep(benchmark::State& state) {
  const Scratch scratch;
  RecordStore records = RecordStore::open(scratch.path, true);
  records.begin_run("bench", "bench", Json::object());
  StepRecord step;
  step.data = Json{{"facts", Json::array({1, 2, 3})}};
  std::int64_t n = 0;
  for (auto _ : state) {
    step.key = std::to_string(n++);
    records.add(step);
  }
}
BENCHMARK(RecordStep)->Unit(benchmark::kMicrosecond)->UseRealTime();

void FindStep(benchmark::State& state) {
  const Scratch scratch;
  RecordStore records = RecordStore::open(scratch.path, true);
  records.begin_run("bench", "bench", Json::object());
  for (int i = 0; i < 1000; ++i) {
    StepRecord step;
    step.key = std::to_string(i);
    records.add(step);
  }
  int n = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(records.find(StepRecord::Kind::compile, std::to_string(n++ % 1000)));
}
BENCHMARK(FindStep)->Unit(benchmark::kMicrosecond);

void StoreCodeObject(benchmark::State& state) {
  const Scratch scratch;
  CodeStore store(scratch.path);
  CompileResult result;
  result.code = std::string(16384, 'x');
  std::int64_t n = 0;
  for (auto _ : state) store.put(hash_hex(std::to_string(n++)), result);
}
BENCHMARK(StoreCodeObject)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace fusetune

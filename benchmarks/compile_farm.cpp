// What the compile farm costs and yields: "compile_farm throughput" and "compile_farm leak". A
// program of its own, because its figures are of processes and not of functions.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "benchmarks/cases.hpp"
#include "harness/base/temporary_folder.hpp"
#include "harness/compile/code_cache.hpp"
#include "harness/compile/code_store.hpp"
#include "harness/compile/compiler.hpp"
#include "harness/process/subprocess.hpp"
#include "harness/process/worker_pool.hpp"

namespace fusetune {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kUsage = R"(usage: compile_farm throughput VARIANTS ROUNDS
       compile_farm leak COMPILER COMPILATIONS
  COMPILER is trivial (a script that copies a file), host (g++) or gfx90a (hipRTC)
)";

/// The workers are those of the program beside this one.
WorkerPoolOptions workers_of(int workers) {
  WorkerPoolOptions options;
  options.command = {(self_path().parent_path() / "fusetune").string(), "worker", "compile"};
  options.workers = workers;
  return options;
}

/// Distinct requests: what differs is a macro that no kernel reads.
CompileRequest request_of(const Target& target, int number) {
  CompileRequest request =
      make_compile_request(bench::split().geometry(), bench::split().variant(), target);
  request.macros.emplace_back("FT_BENCH", std::to_string(number));
  return request;
}

Job job_of(const Target& target, int number, const CodeStore& store) {
  const CompileRequest request = request_of(target, number);
  Job job;
  job.request = Json{{"op", "compile"},
                     {"store", store.root().string()},
                     {"key", request.key("bench")},
                     {"request", to_json(request)}};
  job.kind = "compile " + target.name;
  return job;
}

void require_answer(const JobEnd& end) {
  if (end.how != JobEnd::How::answered || end.answer.value("status", "") != "ok")
    throw std::runtime_error("a compilation failed: " + end.answer.dump() + end.last_output);
}

double seconds_of(const std::function<void()>& work) {
  const auto begin = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Compile workers that stay warm.
class Farm {
 public:
  Farm(Target target, int workers)
      : target_(std::move(target)), store_(folder_.path()), pool_(workers_of(workers)) {
    rate(workers);
  }

  /// Compilations per second.
  double rate(int variants) {
    for (int i = 0; i < variants; ++i) {
      Job job = job_of(target_, next_++, store_);
      job.done = require_answer;
      pool_.submit(std::move(job));
    }
    return variants / seconds_of([this] { pool_.run([] { return false; }); });
  }

 private:
  Target target_;
  TemporaryFolder folder_{"fusetune-farm"};
  CodeStore store_;
  WorkerPool pool_;
  int next_ = 0;
};

/// The same by threads of this process.
double thread_rate(Compiler& compiler, const Target& target, int threads, int variants) {
  std::vector<CompileRequest> requests;
  for (int i = 0; i < variants; ++i) requests.push_back(request_of(target, i));
  return variants / seconds_of([&] {
           std::atomic<int> next{0};
           std::vector<std::jthread> running;
           for (int t = 0; t < threads; ++t)
             running.emplace_back([&] {
               for (int i = next++; i < variants; i = next++)
                 compiler.compile(requests[static_cast<std::size_t>(i)]);
             });
         });
}

double median_of(std::vector<double> rates) {
  std::sort(rates.begin(), rates.end());
  return rates[rates.size() / 2];
}

/// Rounds of all four, one after the other: what else the machine does falls on each of them.
void throughput_of(Compiler& compiler, const Target& target, int variants, int rounds) {
  if (!compiler.compile(request_of(target, 0)).outcome.ok())
    throw std::runtime_error("the compiler refuses the kernel");
  Farm one(target, 1);
  Farm two(target, 2);
  std::array<std::vector<double>, 4> rates;
  for (int round = 0; round < rounds; ++round) {
    rates[0].push_back(thread_rate(compiler, target, 1, variants));
    rates[1].push_back(thread_rate(compiler, target, 2, variants));
    rates[2].push_back(one.rate(variants));
    rates[3].push_back(two.rate(variants));
  }
  fmt::print("{:<24}", target.name);
  for (const std::vector<double>& of_one : rates) fmt::print(" {:>12.2f}", median_of(of_one));
  fmt::print("\n");
  std::cout.flush();
}

void throughput(int variants, int rounds) {
  fmt::print("{:<24} {:>12} {:>12} {:>12} {:>12}\n", "compilations per second", "1 thread",
             "2 threads", "1 worker", "2 workers");
  for (const char* name : {"host-w64", "gfx90a"}) {
    const Target target = parse_target(name);
    std::string why;
    const std::unique_ptr<Compiler> compiler = target.platform == Platform::host
                                                   ? make_host_compiler()
                                                   : load_compiler_module(Platform::amd, &why);
    if (compiler)
      throughput_of(*compiler, target, variants, rounds);
    else
      fmt::print("{:<24} left out: {}\n", name, why);
  }
}

/// Resident memory of a process, in KiB.
long resident_kib(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("VmRSS:")) return std::strtol(line.c_str() + 6, nullptr, 10);
  return 0;
}

/// Resident memory of this process' children: the workers.
long workers_kib() {
  long sum = 0;
  std::ifstream children(fmt::format("/proc/self/task/{}/children", ::getpid()));
  for (std::string pid; children >> pid;) sum += resident_kib(pid);
  return sum;
}

/// A compiler that compiles once and copies that from then on.
void use_trivial_compiler(const std::filesystem::path& folder) {
  const std::filesystem::path script = folder / "compiler";
  std::ofstream(script)
      << "#!/bin/sh\ncase \"$*\" in *--version*) echo 'a copier 1'; exit 0;; esac\n"
      << "[ -f " << (folder / "code.so").string() << " ] || { g++ \"$@\" && cp "
      << "fusetune_host/kernels.so " << (folder / "code.so").string() << "; }\n"
      << "cp " << (folder / "code.so").string() << " fusetune_host/kernels.so\n";
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  ::setenv("CXX", script.c_str(), 1);
}

void leak(const std::string& compiler, int compilations) {
  const TemporaryFolder folder("fusetune-leak");
  if (compiler == "trivial") use_trivial_compiler(folder.path());
  const Target target = parse_target(compiler == "gfx90a" ? "gfx90a" : "host-w64");
  CodeStore store(folder.path() / "store");
  WorkerPool pool(workers_of(1));
  int done = 0;
  const int step = std::max(1, compilations / 10);
  fmt::print("{} compilations by one worker ({})\n{:>12} {:>16} {:>16} {:>10}\n", compilations,
             compiler, "compiled", "supervisor, KiB", "worker, KiB", "seconds");
  const auto begin = Clock::now();
  std::function<void()> submit_next = [&] {
    if (done + static_cast<int>(pool.waiting() + pool.running()) >= compilations) return;
    const int number = done + static_cast<int>(pool.waiting() + pool.running());
    Job job = job_of(target, number, store);
    const std::string key = job.request["key"];
    job.done = [&, key](const JobEnd& end) {
      require_answer(end);
      if (!store.find(key)) throw std::runtime_error("a code object is missing");
      ++done;
      if (done % 100 == 0)
        clear_code_cache(store.root());  // what is measured is memory, not the disk
      if (done % step == 0) {
        fmt::print("{:>12} {:>16} {:>16} {:>10.0f}\n", done, resident_kib("self"), workers_kib(),
                   std::chrono::duration<double>(Clock::now() - begin).count());
        std::cout.flush();
      }
      submit_next();
    };
    pool.submit(std::move(job));
  };
  submit_next();
  pool.run([] { return false; });
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() == 3 && arguments[0] == "throughput") {
    throughput(std::stoi(arguments[1]), std::stoi(arguments[2]));
    return 0;
  }
  if (arguments.size() == 3 && arguments[0] == "leak") {
    leak(arguments[1], std::stoi(arguments[2]));
    return 0;
  }
  fmt::print(stderr, "{}", kUsage);
  return 64;
}

}  // namespace
}  // namespace fusetune

int main(int argc, char** argv) {
  try {
    return fusetune::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}

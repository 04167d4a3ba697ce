// What it costs that instrumented kernels tell of every access.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/base/files.hpp"
#include "harness/compile/compiler.hpp"
#include "harness/device/device.hpp"

namespace fusetune {
namespace {

constexpr std::int64_t kRows = 128, kWidth = 5120, kBlock = 256;

/// Rows of 5120 bf16 values in registers, one block each: reads, a block reduction, writes.
constexpr const char* kNorm = R"(#include "ft.h"
constexpr int WIDTH = 5120, CHUNKS = WIDTH / 8, EACH = (CHUNKS + 255) / 256;
FT_KERNEL(256) void norm(const ft_u16* x, const ft_u16* weight, ft_u16* y) {
  ft_vec<16> value[EACH];
  float sum = 0;
  FT_UNROLL
  for (int k = 0; k < EACH; ++k) {
    const int chunk = k * 256 + threadIdx.x;
    value[k] = chunk < CHUNKS ? ft_load<16>(x + blockIdx.x * WIDTH + 8 * chunk) : ft_zero<16>();
    FT_UNROLL
    for (int i = 0; i < 8; ++i) {
      const float v = ft_bf16_to_f32(ft_get16<16>(value[k], i));
      sum += v * v;
    }
  }
  const float scale = rsqrtf(ft_block_sum<256>(sum) / WIDTH + 1e-6f);
  FT_UNROLL
  for (int k = 0; k < EACH; ++k) {
    const int chunk = k * 256 + threadIdx.x;
    if (chunk >= CHUNKS) continue;
    const ft_vec<16> w = ft_load<16>(weight + 8 * chunk);
    FT_UNROLL
    for (int i = 0; i < 8; ++i)
      ft_set16<16>(value[k], i, ft_f32_to_bf16(ft_bf16_to_f32(ft_get16<16>(value[k], i)) * scale *
                                               ft_bf16_to_f32(ft_get16<16>(w, i))));
    ft_store<16>(y + blockIdx.x * WIDTH + 8 * chunk, value[k]);
  }
}
)";

/// 64 accesses of one kind by each thread, of 4 bytes.
constexpr const char* kAccesses = R"(#include "ft.h"
FT_KERNEL(256) void accesses(float* memory) {
  FT_SHARED float own[256 * 4];
  FT_PREPARE
  float sum = 0;
  FT_UNROLL
  for (int i = 0; i < 64; ++i) { FT_ACCESS; }
  if (sum == 123.0f) memory[threadIdx.x] = sum + own[threadIdx.x];
}
)";

CompileRequest request_for(const char* source, const char* entry, bool exact,
                           std::vector<std::pair<std::string, std::string>> macros = {}) {
  CompileRequest request;
  request.target = parse_target("host-w64");
  request.source = {"bench.hip", source};
  request.headers = common_headers();
  request.macros = std::move(macros);
  request.entries = {entry};
  request.signatures.resize(1);
  request.exact = exact;
  return request;
}

std::unique_ptr<LoadedCode> load(Device& device, const CompileResult& result) {
  const auto file =
      std::filesystem::temp_directory_path() / fmt::format("fusetune-bench-{}.so", ::getpid());
  write_file_atomic(file, result.code);
  Outcome outcome;
  std::unique_ptr<LoadedCode> code = device.load(file.string(), &outcome);
  std::filesystem::remove(file);
  return code;
}

/// The norm's tensors on a device.
struct Norm {
  std::unique_ptr<Device> device = open_device("host-w64");
  std::vector<std::uint16_t> values =
      std::vector<std::uint16_t>(static_cast<std::size_t>(kRows * kWidth), 0x3f80);
  DevicePointer x = allocate(kRows), weight = allocate(1), y = allocate(kRows);

  DevicePointer allocate(std::int64_t rows) {
    const auto bytes = static_cast<std::size_t>(rows * kWidth * 2);
    const DevicePointer pointer = device->allocate(bytes, Place::high);
    device->copy_to(pointer, values.data(), bytes);
    return pointer;
  }
  ~Norm() {
    for (const DevicePointer pointer : {x, weight, y}) device->release(pointer);
  }
  void watch() {
    device->watch({{"x", x, kRows, kWidth * 2, kWidth * 2, true, false},
                   {"weight", weight, 1, kWidth * 2, kWidth * 2, true, false},
                   {"y", y, kRows, kWidth * 2, kWidth * 2, false, true}});
  }
  bool launch(const LoadedCode& code) {
    return device->launch(code, {"norm", {kRows, 1, 1}, {kBlock, 1, 1}, 0, {x, weight, y}}).ok();
  }
};

void CompileNorm(benchmark::State& state) {
  const auto compiler = make_host_compiler();
  const CompileRequest request = request_for(kNorm, "norm", state.range(0) != 0);
  for (auto _ : state)
    if (!compiler->compile(request).outcome.ok()) state.SkipWithError("compilation failed");
}
BENCHMARK(CompileNorm)
    ->ArgName("exact")
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void LaunchNorm(benchmark::State& state) {
  Norm norm;
  const auto code = load(
      *norm.device, make_host_compiler()->compile(request_for(kNorm, "norm", state.range(0) != 0)));
  for (auto _ : state) {
    norm.watch();
    if (!norm.launch(*code)) state.SkipWithError("launch failed");
  }
}
BENCHMARK(LaunchNorm)->ArgName("exact")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

/// What the verification of a variant takes at least: compile, load, two launches on the
/// device of a worker, and the search for what they have not written.
void CompileAndProveNorm(benchmark::State& state) {
  const auto compiler = make_host_compiler();
  const CompileRequest request = request_for(kNorm, "norm", true);
  Norm norm;  // a worker keeps its device from variant to variant
  for (auto _ : state) {
    const auto code = load(*norm.device, compiler->compile(request));
    for (int pass = 0; pass < 2; ++pass) {
      norm.watch();
      if (!norm.launch(*code) || !norm.device->unwritten().empty())
        state.SkipWithError("launch failed");
    }
  }
}
BENCHMARK(CompileAndProveNorm)->Unit(benchmark::kMillisecond)->UseRealTime();

/// Time per access, the loop around it included.
void Access(benchmark::State& state, const char* prepare, const char* access, bool writable) {
  constexpr std::int64_t kElements = 256 * 64, kBlocks = 16;
  const auto device = open_device("host-w64");
  const auto code = load(
      *device, make_host_compiler()->compile(request_for(
                   kAccesses, "accesses", true, {{"FT_PREPARE", prepare}, {"FT_ACCESS", access}})));
  const DevicePointer memory = device->allocate(kBlocks * kElements * 4, Place::high);
  device->watch(
      {{"memory", memory, 1, kBlocks * kElements * 4, kBlocks * kElements * 4, true, writable}});
  for (auto _ : state)
    if (!device->launch(*code, {"accesses", {kBlocks, 1, 1}, {kBlock, 1, 1}, 0, {memory}}).ok())
      state.SkipWithError("launch failed");
  const double accesses = static_cast<double>(state.iterations() * kBlocks * kElements);
  state.counters["per_access"] =
      benchmark::Counter(accesses, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  device->release(memory);
}
#define FT_INDEX "blockIdx.x * 256 * 64 + i * 256 + threadIdx.x"
BENCHMARK_CAPTURE(Access, read_only, "", "sum += memory[" FT_INDEX "]", false);
BENCHMARK_CAPTURE(Access, read_writable, "", "sum += memory[" FT_INDEX "]", true);
BENCHMARK_CAPTURE(Access, written, "", "memory[" FT_INDEX "] = 1.0f", true);
BENCHMARK_CAPTURE(Access, shared_written, "", "own[threadIdx.x + i % 4 * 256] = 1.0f", true);
BENCHMARK_CAPTURE(Access, shared_read,
                  "for (int i = 0; i < 4; ++i) own[threadIdx.x + i * 256] = 1;",
                  "sum += own[threadIdx.x + i % 4 * 256]", true);

}  // namespace
}  // namespace fusetune

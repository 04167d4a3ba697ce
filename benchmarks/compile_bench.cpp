// Latency of one variant per compiler.

#include <benchmark/benchmark.h>

#include "benchmarks/cases.hpp"
#include "harness/compile/compiler.hpp"

namespace fusetune {
namespace {

void compile(benchmark::State& state, Compiler& compiler, const Target& target) {
  const CompileRequest request =
      make_compile_request(bench::split().geometry(), bench::split().variant(), target);
  for (auto _ : state) {
    const CompileResult result = compiler.compile(request);
    if (!result.outcome.ok()) {
      state.SkipWithError(result.outcome.message.c_str());
      return;
    }
    benchmark::DoNotOptimize(result.code.data());
  }
}

void CompileHost(benchmark::State& state) {
  compile(state, *make_host_compiler(), parse_target("host-w64"));
}
BENCHMARK(CompileHost)->Unit(benchmark::kMillisecond)->UseRealTime();

void CompileGfx90a(benchmark::State& state) {
  std::string why;
  const auto compiler = load_compiler_module(Platform::amd, &why);
  if (!compiler) {
    state.SkipWithError(why.c_str());
    return;
  }
  compile(state, *compiler, parse_target("gfx90a"));
}
BENCHMARK(CompileGfx90a)->Unit(benchmark::kMillisecond)->UseRealTime();

void MakeCompileRequest(benchmark::State& state) {
  const Geometry geometry = bench::split().geometry();
  const Variant variant = bench::split().variant();
  const Target target = parse_target("host-w64");
  for (auto _ : state)
    benchmark::DoNotOptimize(make_compile_request(geometry, variant, target).key("compiler"));
}
BENCHMARK(MakeCompileRequest)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace fusetune

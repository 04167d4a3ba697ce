// Expressions and plans.

#include <benchmark/benchmark.h>

#include "benchmarks/cases.hpp"
#include "harness/base/files.hpp"
#include "harness/spec/plan.hpp"

namespace fusetune {
namespace {

void EvaluateConstraint(benchmark::State& state) {
  const Geometry geometry = bench::split().geometry();
  const Variant variant = bench::split().variant();
  const Target target = parse_target("gfx90a");
  const Bindings scope = scope_of(geometry, &target, &variant);
  const RuleDecl& rule = geometry.family->constraints.at(1);
  for (auto _ : state) benchmark::DoNotOptimize(rule.rule.eval_bool(scope));
}
BENCHMARK(EvaluateConstraint);

void EvaluateLaunches(benchmark::State& state) {
  const Case which = bench::split().at_rows(128);
  const Variant variant = bench::split().variant();
  const Target target = parse_target("gfx90a");
  for (auto _ : state) benchmark::DoNotOptimize(launches_of(which, variant, target, DeviceFacts{}));
}
BENCHMARK(EvaluateLaunches)->Unit(benchmark::kMicrosecond);

void EnumerateFullSpace(benchmark::State& state) {
  const Geometry geometry = bench::split().geometry();
  SweepEntry entry;
  entry.family = geometry.family;
  const ImplementationDecl& fused = *entry.family->find_implementation("fused");
  for (auto _ : state) {
    std::vector<Pruned> pruned;
    benchmark::DoNotOptimize(
        enumerate_variants(geometry, fused, parse_target("gfx90a"), entry, SpaceChoice{}, &pruned));
  }
}
BENCHMARK(EnumerateFullSpace)->Unit(benchmark::kMillisecond);

void PlanQuickstart(benchmark::State& state) {
  const Models models = Models::load_default();
  for (auto _ : state)
    benchmark::DoNotOptimize(
        make_plan(load_sweep(project_root() / "configs/sweeps/quickstart.yaml"), models,
                  parse_target("host-w64")));
}
BENCHMARK(PlanQuickstart)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace fusetune

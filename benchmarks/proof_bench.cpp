// What a proof of one variant on one case takes, and what of it goes where.

#include <benchmark/benchmark.h>

#include <map>
#include <string>

#include "benchmarks/loaded.hpp"
#include "harness/verify/arena.hpp"
#include "harness/verify/explain.hpp"
#include "harness/verify/findings.hpp"
#include "harness/verify/inputs.hpp"
#include "harness/verify/problem.hpp"
#include "harness/verify/results.hpp"
#include "harness/verify/runner.hpp"

namespace fusetune {
namespace {

/// thorough:1 has the edges of inputs, aliases, input impact and back-to-back launches as well.
void Prove(benchmark::State& state, const bench::Subject& subject) {
  const bench::Loaded loaded(subject, state.range(1) != 0);
  const Case which = subject.at_rows(state.range(0));
  const RunnableVariant runnable = loaded.runnable(which);
  ProofOptions options;
  options.thorough = state.range(2) != 0;
  std::int64_t launches = 0;
  for (auto _ : state) {
    const ProofReport report = prove(*loaded.device, runnable, which, options);
    if (!report.outcome.ok()) state.SkipWithError(report.outcome.message.c_str());
    launches = report.launches;
  }
  state.counters["launches"] = static_cast<double>(launches);
  state.counters["proofs"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void prove_arguments(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"tokens", "exact", "thorough"})->Unit(benchmark::kMillisecond);
  for (const int tokens : {1, 37, 128})
    for (const int exact : {0, 1}) bench->Args({tokens, exact, 0});
  for (const int exact : {0, 1}) bench->Args({37, exact, 1});
}
BENCHMARK_CAPTURE(Prove, split_reshape_cat, bench::split())->Apply(prove_arguments);
BENCHMARK_CAPTURE(Prove, rmsnorm_gemma, bench::norm())->Apply(prove_arguments);

/// One pass of a proof of 37 tokens, ready to be judged.
struct Judged {
  bench::Loaded loaded;
  Case which;
  const reference::Reference* reference;
  Inputs inputs;
  Arena arena;
  std::vector<Pass> passes{1};

  Judged(const bench::Subject& subject, bool exact)
      : loaded(subject, exact),
        which(subject.at_rows(37)),
        reference(reference::find(which.geometry.family->reference)),
        inputs(which, 1),
        arena(*loaded.device, which, Place::low, 1) {
    passes[0].initial = inputs.images(0, Poison::a);
    expect();
    passes[0].actual = run().value_or(TensorImages{});
  }

  void expect() {
    passes[0].expected =
        expected_results(which, *reference, passes[0].initial, Poison::a, &passes[0].truths.own());
  }
  std::optional<TensorImages> run() {
    Findings findings;
    const RunnableVariant runnable = loaded.runnable(which);
    PlainExchange exchange(*loaded.device);
    Runner runner(*loaded.device, exchange, runnable, which, reference, &findings);
    return runner.run(arena, passes[0].initial, 0);
  }
};

void MakeInputs(benchmark::State& state, const bench::Subject& subject) {
  const Inputs inputs(subject.at_rows(37), 1);
  for (auto _ : state) benchmark::DoNotOptimize(inputs.images(0, Poison::a));
}

void Expect(benchmark::State& state, const bench::Subject& subject) {
  Judged judged(subject, false);
  for (auto _ : state) judged.expect();
}

/// Guards, padding, inputs and writers are checked here.
void RunAndCheckMemory(benchmark::State& state, const bench::Subject& subject, bool exact) {
  Judged judged(subject, exact);
  for (auto _ : state)
    if (!judged.run()) state.SkipWithError("the launch failed");
}

void CheckResults(benchmark::State& state, const bench::Subject& subject) {
  Judged judged(subject, false);
  const Explainer explainer(judged.which, judged.reference, &judged.inputs, judged.passes);
  for (auto _ : state) {
    Findings findings;
    check_results(judged.which, judged.passes, explainer, &findings);
    if (findings.any()) state.SkipWithError("a right result is wrong");
  }
}

/// Bit for bit, as a run on another schedule is compared.
void CheckRepeat(benchmark::State& state, const bench::Subject& subject) {
  Judged judged(subject, false);
  const Explainer explainer(judged.which, judged.reference, &judged.inputs, judged.passes);
  for (auto _ : state) {
    Findings findings;
    check_repeat(judged.which, judged.passes[0].actual, judged.passes[0].actual, explainer,
                 &findings);
  }
}

#define FT_PARTS(name, subject)                                                  \
  BENCHMARK_CAPTURE(MakeInputs, name, subject)->Unit(benchmark::kMicrosecond);   \
  BENCHMARK_CAPTURE(Expect, name, subject)->Unit(benchmark::kMicrosecond);       \
  BENCHMARK_CAPTURE(RunAndCheckMemory, name##_fast, subject, false)              \
      ->Unit(benchmark::kMicrosecond);                                           \
  BENCHMARK_CAPTURE(RunAndCheckMemory, name##_exact, subject, true)              \
      ->Unit(benchmark::kMicrosecond);                                           \
  BENCHMARK_CAPTURE(CheckResults, name, subject)->Unit(benchmark::kMicrosecond); \
  BENCHMARK_CAPTURE(CheckRepeat, name, subject)->Unit(benchmark::kMicrosecond)
FT_PARTS(split_reshape_cat, bench::split());
FT_PARTS(rmsnorm_gemma, bench::norm());

}  // namespace
}  // namespace fusetune

// Every family at a shape of a real model: proofs per second in both modes, and what the reference
// takes beside the kernel that it judges.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "benchmarks/loaded.hpp"
#include "harness/spec/plan.hpp"
#include "harness/verify/arena.hpp"
#include "harness/verify/inputs.hpp"
#include "harness/verify/problem.hpp"

namespace fusetune {
namespace {

constexpr std::int64_t kFamilyRows = 37;

/// The simplest tuned variant of a case.
bench::Subject subject_of(const std::string& family, const std::string& statics) {
  bench::Subject subject{family, statics, ""};
  const Geometry geometry = subject.geometry();
  SweepEntry entry;
  entry.family = geometry.family;
  const std::vector<Variant> variants =
      enumerate_variants(geometry, *geometry.family->find_implementation(geometry.family->tuned),
                         parse_target("host-w64"), entry, SpaceChoice{}, nullptr);
  subject.variant_key = variants.front().key(*geometry.family);
  return subject;
}

/// Qwen3.5-27B at TP8, as its config has it; a hidden size of 5120.
std::vector<bench::Subject> all_families() {
  return {
      subject_of("split_reshape_cat", "layout=contiguous,nk=2,nv=6"),
      subject_of("rmsnorm_gated", "heads=6"),
      subject_of("rmsnorm_gemma", "residual=on,width=5120"),
      subject_of("mrope",
                 "gate=on,head_dim=256,kv_heads=1,mrope=interleaved,q_heads=3,rotary_dim=64"),
      subject_of("qk_norm_rope_cache",
                 "cache=shuffle,gated=on,head_dim=256,hk=1,hq=3,mrope=interleaved,rotary_dim=64"),
      subject_of("gdn_weight_deinterleave", "columns=512,ratio=3"),
      subject_of("gdn_weight_pack", "columns=512,ratio=3"),
  };
}

void prove_family(benchmark::State& state, const bench::Subject& subject, bool exact) {
  const bench::Loaded loaded(subject, exact);
  const Case which = subject.at_rows(kFamilyRows);
  const RunnableVariant runnable = loaded.runnable(which);
  ProofOptions options;
  options.thorough = false;
  for (auto _ : state) {
    const ProofReport report = prove(*loaded.device, runnable, which, options);
    if (!report.outcome.ok()) state.SkipWithError(report.outcome.message.c_str());
  }
  state.counters["proofs"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void reference_of_family(benchmark::State& state, const bench::Subject& subject) {
  const Case which = subject.at_rows(kFamilyRows);
  const reference::Reference& reference = *reference::find(which.geometry.family->reference);
  const TensorImages initial = Inputs(which, 1).images(0, Poison::a);
  for (auto _ : state) {
    std::map<std::string, reference::Truth> truths;
    benchmark::DoNotOptimize(expected_results(which, reference, initial, Poison::a, &truths));
  }
}

void kernel_of_family(benchmark::State& state, const bench::Subject& subject) {
  const bench::Loaded loaded(subject, false);
  const Case which = subject.at_rows(kFamilyRows);
  Arena arena(*loaded.device, which, Place::low, 1);
  arena.write(Inputs(which, 1).images(0, Poison::a));
  const std::vector<KernelLaunch> launches = bind(loaded.runnable(which), which, arena);
  for (auto _ : state) {
    const Outcome queued = enqueue(*loaded.device, *loaded.code, launches);
    if (!queued.ok() || !loaded.device->synchronize().ok()) state.SkipWithError("it failed");
  }
}

const bool registered = [] {
  for (const bench::Subject& subject : all_families()) {
    const auto add = [&subject](const char* what, auto function, auto... more) {
      benchmark::RegisterBenchmark((std::string(what) + "/" + subject.family).c_str(), function,
                                   subject, more...)
          ->Unit(benchmark::kMillisecond);
    };
    add("FamilyProof/fast", prove_family, false);
    add("FamilyProof/exact", prove_family, true);
    add("FamilyReference", reference_of_family);
    add("FamilyKernel", kernel_of_family);
  }
  return true;
}();

}  // namespace
}  // namespace fusetune

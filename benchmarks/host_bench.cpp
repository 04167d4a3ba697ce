// Running on the host device, beside a plain loop over the same bytes.

#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

#include "benchmarks/loaded.hpp"
#include "harness/verify/arena.hpp"
#include "harness/verify/binding.hpp"
#include "harness/verify/inputs.hpp"

namespace fusetune {
namespace {

void HostRun(benchmark::State& state) {
  const bench::Loaded loaded(bench::split(), false);
  const Case which = bench::split().at_rows(state.range(0));
  Arena arena(*loaded.device, which, Place::low, 1);
  arena.write(Inputs(which, 1).images(0, Poison::a));
  const RunnableVariant runnable = loaded.runnable(which);
  const auto launches = bind(runnable, which, arena);
  for (auto _ : state)
    if (!enqueue(*loaded.device, *loaded.code, launches).ok()) state.SkipWithError("launch failed");
  const Traffic traffic = traffic_of(which);
  state.SetBytesProcessed(state.iterations() * (traffic.read_bytes + traffic.write_bytes));
}
BENCHMARK(HostRun)->Arg(1)->Arg(128)->Arg(1024)->Unit(benchmark::kMicrosecond);

/// What a person would write: per row and group, four copies, and two for the gates.
void PlainLoop(benchmark::State& state) {
  constexpr std::int64_t nk = 2, ratio = 3, head = 128, group = (2 + 2 * ratio) * head;
  const std::int64_t tokens = state.range(0);
  std::vector<std::uint16_t> qkvz(tokens * nk * group, 1), ba(tokens * nk * 2 * ratio, 1);
  std::vector<std::uint16_t> qkv(tokens * nk * (2 + ratio) * head), z(tokens * nk * ratio * head);
  std::vector<std::uint16_t> b(tokens * nk * ratio), a(tokens * nk * ratio);
  const auto copy = [](std::uint16_t* to, const std::uint16_t* from, std::int64_t elements) {
    std::memcpy(to, from, static_cast<std::size_t>(elements) * sizeof(std::uint16_t));
  };
  for (auto _ : state) {
    for (std::int64_t t = 0; t < tokens; ++t)
      for (std::int64_t g = 0; g < nk; ++g) {
        const std::uint16_t* in = qkvz.data() + (t * nk + g) * group;
        std::uint16_t* out = qkv.data() + t * nk * (2 + ratio) * head;
        copy(out + g * head, in, head);
        copy(out + (nk + g) * head, in + head, head);
        copy(out + (2 * nk + g * ratio) * head, in + 2 * head, ratio * head);
        copy(z.data() + (t * nk + g) * ratio * head, in + (2 + ratio) * head, ratio * head);
        const std::uint16_t* gates = ba.data() + (t * nk + g) * 2 * ratio;
        copy(b.data() + (t * nk + g) * ratio, gates, ratio);
        copy(a.data() + (t * nk + g) * ratio, gates + ratio, ratio);
      }
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * 2 *
                          static_cast<std::int64_t>(qkvz.size() + ba.size()) * 2);
}
BENCHMARK(PlainLoop)->Arg(1)->Arg(128)->Arg(1024)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace fusetune

// What a downstream library pays per look-up in a generated header with every shape of models.yaml.

#include <benchmark/benchmark.h>

#include "fusetune_split_reshape_cat.hpp"

namespace {

namespace table = fusetune::split_reshape_cat;

table::Query query(std::int64_t nv, std::int64_t tokens, std::string_view architecture) {
  table::Query q;
  q.architecture = architecture;
  q.layout = table::layout::contiguous;
  q.nk = 2;
  q.nv = nv;
  q.tokens = tokens;
  return q;
}

void HeaderLookupHit(benchmark::State& state) {
  std::int64_t tokens = 0;
  for (auto _ : state) {
    const table::Match match = table::lookup(query(6, tokens = (tokens + 7) % 8000, "host-w64"));
    benchmark::DoNotOptimize(match.row);
  }
}
BENCHMARK(HeaderLookupHit);

void HeaderLookupMiss(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(table::lookup(query(10, 16, "host-w64")).row);
}
BENCHMARK(HeaderLookupMiss);

}  // namespace

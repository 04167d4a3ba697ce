#include "bridges/stored_benchmarks.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/store/record_store.hpp"
#include "harness/table/table.hpp"

namespace fusetune::bridge {

namespace {

constexpr double kSecondsPerUs = 1e-6;

/// The variant that the table's row for the case names; "" where there is none.
std::string winner_of(const std::filesystem::path& results, const ObservedCase& observed) {
  const Geometry& geometry = observed.which.geometry;
  const std::filesystem::path file =
      table_paths(results, observed.device, geometry.family->name).front();
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return "";
  for (const TableRow& row : table_from_yaml(file).rows)
    if (row.geometry.key() == geometry.key() && row.rows_low <= observed.which.rows() &&
        observed.which.rows() <= row.rows_high)
      return row.variant.key(*geometry.family);
  return "";
}

/// One benchmark that tells stored samples, in their order.
void add_benchmark(const std::string& name, const ObservedVariant& variant) {
  auto next = std::make_shared<std::size_t>(0);
  const auto tell = [samples = variant.samples_us, key = variant.key,
                     next](benchmark::State& state) {
    for (auto unused : state) {
      static_cast<void>(unused);
      state.SetIterationTime(samples[*next % samples.size()] * kSecondsPerUs);
      ++*next;
    }
    state.SetLabel(key);
  };
  benchmark::RegisterBenchmark(name.c_str(), tell)
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond)
      ->Iterations(1)
      ->Repetitions(static_cast<int>(variant.samples_us.size()));
}

const ObservedVariant* find_timed(const ObservedCase& observed, const auto& is_meant) {
  for (const ObservedVariant& variant : observed.variants)
    if (variant.status == Status::ok && !variant.samples_us.empty() && is_meant(variant))
      return &variant;
  return nullptr;
}

std::size_t add_all(const ObservedCase& observed, const std::string& prefix) {
  std::size_t count = 0;
  for (const ObservedVariant& variant : observed.variants) {
    if (variant.status != Status::ok || variant.samples_us.empty()) continue;
    add_benchmark(prefix + variant.key, variant);
    ++count;
  }
  return count;
}

std::size_t add_winner(const ObservedCase& observed, const std::string& prefix,
                       const std::filesystem::path& results) {
  std::size_t count = 0;
  if (const ObservedVariant* baseline = find_timed(
          observed, [](const ObservedVariant& variant) { return variant.is_baseline; })) {
    add_benchmark(prefix + "baseline", *baseline);
    ++count;
  }
  const std::string winner = winner_of(results, observed);
  const ObservedVariant* chosen =
      find_timed(observed, [&](const ObservedVariant& variant) { return variant.key == winner; });
  if (chosen == nullptr)  // told, as a comparison over the others alone would look whole
    std::fprintf(stderr, "no winner for %s on %s: %s\n", observed.which.key().c_str(),
                 observed.device.c_str(),
                 winner.empty() ? "no table has a row for it"
                                : "the store has no samples of what its table names");
  else
    add_benchmark(prefix + "winner", *chosen);
  return count + (chosen != nullptr ? 1 : 0);
}

}  // namespace

std::size_t register_stored(const StoredBenchmarkOptions& options) {
  std::error_code error;
  if (!std::filesystem::exists(options.store / "records.sqlite", error))
    throw UserError(
        fmt::format("{} is no store: it has no records.sqlite", options.store.string()));
  const RecordStore store = RecordStore::open(options.store, false);
  std::vector<std::string> left_out;
  std::size_t count = 0;
  for (const ObservedCase& observed :
       observed_cases(store.everything(), options.selection, left_out)) {
    const std::string prefix =
        fmt::format("{}/{}/{}/", observed.which.key(), observed.device, observed.data);
    count +=
        options.all ? add_all(observed, prefix) : add_winner(observed, prefix, options.results);
  }
  for (const std::string& what : left_out) std::fprintf(stderr, "left out: %s\n", what.c_str());
  if (count == 0) throw UserError("the store has no samples of these cases");
  return count;
}

}  // namespace fusetune::bridge

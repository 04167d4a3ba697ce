#include "harness/verify/proof.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>
#include <optional>
#include <stdexcept>
#include <utility>

#include "harness/verify/mix.hpp"
#include "harness/verify/prove.hpp"
#include "harness/verify/results.hpp"
#include "harness/verify/runner.hpp"

namespace fusetune {

namespace {

// Of a large case, for the sake of time and memory.
constexpr int kLargePasses = 2;
constexpr int kLargeDeterminismRuns = 1;

std::size_t bytes_of(const Case& which) {
  std::size_t bytes = 0;
  for (const TensorDecl* tensor : tensors_of(which.geometry))
    bytes += TensorImage(shape_of(which, *tensor)).bytes.size();
  return bytes;
}

/// One arena for each placement. Small cases keep both: the same pointers then see new data.
class Arenas {
 public:
  Arenas(Device& device, const Case& which, std::uint64_t seed, bool keep_both)
      : device_(device), which_(which), seed_(seed), keep_both_(keep_both) {}

  Arena& at(Place place) {
    std::optional<Arena>& wanted = place == Place::low ? low_ : high_;
    std::optional<Arena>& other = place == Place::low ? high_ : low_;
    if (!keep_both_) other.reset();
    if (!wanted) wanted.emplace(device_, which_, place, mix64(seed_ + (place == Place::low)));
    return *wanted;
  }

 private:
  Device& device_;
  const Case& which_;
  std::uint64_t seed_;
  bool keep_both_;
  std::optional<Arena> low_, high_;
};

class Proof {
 public:
  Proof(Device& device, const RunnableVariant& variant, const Case& which,
        const ProofOptions& options, const PassSource& source)
      : which_(which),
        options_(options),
        source_(source),
        large_(bytes_of(which) > options.large_bytes),
        arenas_(device, which, options.seed, !large_),
        runner_(device, variant, which, &findings_) {}

  void run(ProofReport* report) {
    const int passes = large_ ? std::min(kLargePasses, source_.passes) : source_.passes;
    if (run_passes(passes)) {
      const Explainer explainer(which_, source_.reference, source_.inputs, passes_);
      check_results(which_, passes_, explainer, &findings_);
      repeat(explainer);
    }
    check_compared(which_, &findings_);
    findings_.conclude(report);
    report->passes = std::ssize(passes_);
    report->launches = runner_.launches();
  }

 private:
  /// False when the device failed.
  bool run_passes(int count) {
    for (int number = 0; number < count; ++number) {
      const bool odd = number % 2 == 1;
      Pass pass = source_.make(number, odd ? Poison::b : Poison::a);
      Arena& arena = arenas_.at(odd ? Place::high : Place::low);
      std::optional<TensorImages> actual = runner_.run(arena, pass.initial, 0);
      if (!actual) return false;
      pass.actual = std::move(*actual);
      passes_.push_back(std::move(pass));
    }
    return true;
  }

  /// The first pass again, under other schedules, poison and placement.
  void repeat(const Explainer& explainer) {
    const int runs = large_ ? std::min(kLargeDeterminismRuns, options_.determinism_runs)
                            : options_.determinism_runs;
    for (int number = 0; number < runs; ++number) {
      const bool odd = number % 2 == 1;
      const Poison poison = odd ? Poison::b : Poison::a;
      const Pass pass = source_.make(0, poison);
      Arena& arena = arenas_.at(odd ? Place::low : Place::high);
      const std::uint64_t schedule = mix64(options_.seed ^ (std::uint64_t{1} << 60) ^ number) | 1;
      const auto again = runner_.run(arena, pass.initial, schedule);
      if (!again) return;
      check_repeat(which_, passes_.front().actual, *again, explainer, &findings_);
    }
  }

  const Case& which_;
  const ProofOptions& options_;
  const PassSource& source_;
  bool large_;
  Arenas arenas_;
  Findings findings_;
  Runner runner_;
  std::vector<Pass> passes_;
};

}  // namespace

ProofReport prove(Device& device, const RunnableVariant& variant, const Case& which,
                  const ProofOptions& options, const PassSource& source) {
  const auto start = std::chrono::steady_clock::now();
  ProofReport report;
  report.seed = options.seed;
  report.target = device.properties().target.name;
  report.mode = "fast";
  try {
    Proof(device, variant, which, options, source).run(&report);
  } catch (const std::bad_alloc&) {
    report.outcome = {Status::out_of_memory,
                      fmt::format("no memory for {} bytes of tensors", bytes_of(which))};
  } catch (const std::exception& error) {
    report.outcome = {Status::verification_failed, error.what()};
    report.failed_check = "exact";
  }
  report.wall_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return report;
}

ProofReport prove(Device& device, const RunnableVariant& variant, const Case& which,
                  const ProofOptions& options, const reference::Reference* reference) {
  const Inputs inputs(which, options.seed);
  PassSource source;
  source.passes = inputs.passes();
  source.reference = reference;
  source.inputs = &inputs;
  source.make = [&](int number, Poison poison) {
    if (reference == nullptr)
      throw std::runtime_error(fmt::format("nothing was compared: there is no reference '{}'",
                                           which.geometry.family->reference));
    Pass pass;
    pass.poison = poison;
    pass.initial = inputs.images(number, poison);
    pass.expected = expected_results(which, *reference, pass.initial, poison);
    return pass;
  };
  return prove(device, variant, which, options, source);
}

ProofReport prove(Device& device, const RunnableVariant& variant, const Case& which,
                  const ProofOptions& options) {
  return prove(device, variant, which, options, reference::find(which.geometry.family->reference));
}

}  // namespace fusetune

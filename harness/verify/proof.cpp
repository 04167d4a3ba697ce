#include "harness/verify/proof.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>
#include <stdexcept>
#include <utility>

#include "harness/base/hash.hpp"
#include "harness/base/mix.hpp"
#include "harness/device/device_error.hpp"
#include "harness/verify/exchange.hpp"
#include "harness/verify/further_checks.hpp"
#include "harness/verify/proof_cache.hpp"
#include "harness/verify/results.hpp"

namespace fusetune {

namespace {

// Of a large case, for the sake of time and memory; further calls follow the first pass alone.
constexpr int kLargePasses = 2;
constexpr int kLargeDeterminismRuns = 1;

class Proof {
 public:
  explicit Proof(Bench& bench)
      : bench_(bench), thorough_(bench.options().thorough && !bench.large()) {}

  void run(ProofReport* report) {
    passes_.resize(static_cast<std::size_t>(bench_.source().calls));
    if (run_passes(pass_count())) {
      judge_calls();
      repeat();
      if (thorough_ && !bench_.findings().any()) check_further();
      check_compared(bench_.which(), &bench_.findings());
    }
    bench_.conclude(report);
    report->passes = std::ssize(passes_.front());
  }

 private:
  int pass_count() {
    const PassSource& source = bench_.source();
    if (!bench_.large()) return thorough_ ? source.passes : source.core_passes;
    const int passes = std::min(kLargePasses, source.core_passes);
    if (source.calls > 1)
      bench_.skip(
          "further calls in other passes than the first: the tensors of the case are large");
    if (bench_.options().thorough)
      bench_.skip(
          fmt::format("passes {} to {}, aliases, input impact and back-to-back launches: "
                      "the tensors of the case are large",
                      passes + 1, source.passes));
    return passes;
  }

  /// False when the device failed.
  bool run_passes(int count) {
    if (bench_.exact()) bench_.skip("placement at the other end of a page: every access is seen");
    for (int number = 0; number < count; ++number) {
      const bool odd = number % 2 == 1;
      const Place place = odd && !bench_.exact() ? Place::high : Place::low;
      // Edge values are no input of the next call: what was infinite stays so.
      const bool first_alone = bench_.large() && number > 0;
      const int calls =
          number < bench_.source().core_passes && !first_alone ? bench_.source().calls : 1;
      TensorImages state;
      for (int call = 0; call < calls; ++call) {
        const auto make = bench_.by_rows() ? make_input_pass : make_pass;
        Pass pass = make(bench_.source(), number, odd ? Poison::b : Poison::a, call, &state);
        if (!run_pass(pass, place, 0)) return false;
        for (const TensorDecl* tensor : tensors_of(bench_.which().geometry))
          if (tensor->role == Role::state) state[tensor->name] = pass.actual.at(tensor->name);
        passes_[static_cast<std::size_t>(call)].push_back(std::move(pass));
      }
    }
    return true;
  }

  bool run_pass(Pass& pass, Place place, std::uint64_t schedule) {
    const Run run{&bench_.arenas().at(place), &pass.initial};
    std::vector<TensorImages> actual = bench_.run({&run, 1}, schedule, &bench_.findings());
    if (actual.empty()) return false;
    pass.actual = std::move(actual.front());
    return true;
  }

  void judge_calls() {
    bench_.judge(passes_.front(), bench_.source().inputs, &bench_.findings());
    for (std::size_t call = 1; call < passes_.size(); ++call) {
      Findings found(bench_.options().off);
      bench_.judge(passes_[call], nullptr, &found);
      bench_.findings().fold(found, Check::calls, fmt::format("call {}", call + 1));
    }
  }

  int determinism_runs() {
    const int wanted = bench_.options().determinism_runs;
    if (bench_.exact() && wanted > 0) {
      bench_.skip("runs on other schedules: a race shows on every schedule");
      // Atomics in another order are no race.
      return thorough_ ? 1 : 0;
    }
    return bench_.large() ? std::min(kLargeDeterminismRuns, wanted) : wanted;
  }

  /// The first pass again, under other schedules, poison and placement.
  void repeat() {
    const auto& first = passes_.front();
    const Explainer explainer(bench_.which(), bench_.source().reference, bench_.source().inputs,
                              first);
    const int runs = determinism_runs();
    for (int number = 0; number < runs; ++number) {
      const bool odd = number % 2 == 1;
      Pass pass = make_input_pass(bench_.source(), 0, odd ? Poison::b : Poison::a, 0, nullptr);
      const std::uint64_t schedule =
          mix64(bench_.options().seed ^ (std::uint64_t{1} << 60) ^ number) | 1;
      const Place place = odd || bench_.exact() ? Place::low : Place::high;
      if (!run_pass(pass, place, schedule)) return;
      check_repeat(bench_.which(), first.front().actual, pass.actual, explainer,
                   &bench_.findings());
    }
  }

  void check_further() {
    const auto& first = passes_.front();
    check_aliases(bench_, first.front());
    check_input_impact(bench_, first.front());
    if (first.size() > 1) check_back_to_back(bench_, first[0], first[1]);
    if (const RunnableVariant* baseline = bench_.options().baseline; baseline != nullptr)
      check_baseline(bench_, *baseline, first.front());
  }

  Bench& bench_;
  bool thorough_;
  std::vector<std::vector<Pass>> passes_;  ///< by call, then by number
};

}  // namespace

Pass make_input_pass(const PassSource& source, int number, Poison poison, int call,
                     const TensorImages* carried) {
  Pass pass;
  pass.poison = poison;
  pass.initial = source.initial(number, poison, call);
  if (carried != nullptr)
    for (const auto& [name, image] : *carried) pass.initial.at(name) = image;
  if (source.name) pass.name = source.name(number);
  return pass;
}

Pass make_pass(const PassSource& source, int number, Poison poison, int call,
               const TensorImages* carried) {
  Pass pass = make_input_pass(source, number, poison, call, carried);
  source.expect(pass);
  return pass;
}

namespace {

ProofReport prove_once(Device& device, const RunnableVariant& variant, const Case& which,
                       const ProofOptions& options, const PassSource& source) {
  ProofReport report;
  report.seed = options.seed;
  report.target = device.properties().target.name;
  report.mode = variant.code != nullptr && variant.code->exact() ? "exact" : "fast";
  try {
    Bench bench(device, variant, which, options, source);
    Proof(bench).run(&report);
  } catch (const std::bad_alloc&) {
    report.outcome = {Status::out_of_memory,
                      fmt::format("no memory for {} bytes of tensors", tensor_bytes(which))};
  } catch (const DeviceError& error) {
    report.outcome = {error.status(), error.what()};
    report.failed_check = "launch";
  } catch (const std::exception& error) {
    report.outcome = {Status::verification_failed, error.what()};
    report.failed_check = "exact";
  }
  return report;
}

}  // namespace

ProofReport prove(Device& device, const RunnableVariant& variant, const Case& which,
                  const ProofOptions& options, const PassSource& source) {
  const auto start = std::chrono::steady_clock::now();
  ProofReport report = prove_once(device, variant, which, options, source);
  // What earlier proofs left on the device is no reason to fail: another variant may have written
  // over it.
  if (!report.outcome.ok() && report.failed_check != "launch" && options.exchange != nullptr &&
      options.exchange->forget())
    report = prove_once(device, variant, which, options, source);
  report.wall_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return report;
}

ProofReport prove(Device& device, const RunnableVariant& variant, const Case& which,
                  const ProofOptions& options, const reference::Reference* reference) {
  const Inputs inputs(which, options.seed);
  PassSource source;
  source.passes = inputs.passes();
  source.core_passes = inputs.passes() - inputs.edge_passes();
  source.calls = static_cast<int>(which.geometry.family->proof_calls);
  source.reference = reference;
  source.inputs = &inputs;
  const auto make_images = [&](int number, Poison poison, int call) {
    return inputs.images(number, poison, call);
  };
  const auto make_expected = [&](Pass& pass) {
    if (reference == nullptr)
      throw std::runtime_error(fmt::format("nothing was compared: there is no reference '{}'",
                                           which.geometry.family->reference));
    pass.expected =
        expected_results(which, *reference, pass.initial, pass.poison, &pass.truths.own());
  };
  source.initial = make_images;
  source.expect = make_expected;
  // A reference has no name; within a process, as the cache is, its place serves as one.
  std::string key;
  if (ProofCache* cache = options.cache; cache != nullptr) {
    key = hash_hex({to_json(which).dump(), fmt::format("{}", fmt::ptr(reference))});
    source.initial = [&, cache](int number, Poison poison, int call) {
      return cache->images(fmt::format("{} {} {} {} {}", key, options.seed, number,
                                       poison == Poison::a ? "a" : "b", call),
                           [&] { return make_images(number, poison, call); });
    };
    source.expect = [&, cache](Pass& pass) { cache->expect(key, pass, make_expected); };
  }
  source.name = [&](int number) { return inputs.pass_name(number); };
  return prove(device, variant, which, options, source);
}

ProofReport prove(Device& device, const RunnableVariant& variant, const Case& which,
                  const ProofOptions& options) {
  return prove(device, variant, which, options, reference::find(which.geometry.family->reference));
}

}  // namespace fusetune

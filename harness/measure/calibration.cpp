#include "harness/measure/calibration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <random>

#include "harness/device/device_error.hpp"
#include "harness/measure/calibration_kernels.hpp"
#include "harness/measure/span.hpp"
#include "harness/stats/stats.hpp"

namespace fusetune {

namespace {

constexpr std::int64_t kMemoryMax = std::int64_t{8} << 30;        // where much is free
constexpr std::int64_t kMemoryUnknown = std::int64_t{192} << 20;  // where the device cannot tell
constexpr std::int64_t kLeastSweep = 64 << 10;
constexpr double kPlateau = 1.15;  // a cache shows by more than this over the memory's bandwidth
constexpr double kSpanUs = 1000;
constexpr double kGate = 0.03;  // what a gate is asked for
constexpr double kGateWidths = 1.5;
constexpr double kBiasMax = 0.005;  // of a kernel against itself
constexpr int kEpochs = 8, kRounds = 3;

class Calibrator {
 public:
  Calibrator(Device& device, const LoadedCode& code, std::uint64_t seed, const KernelAhead& ahead)
      : device_(device),
        code_(code),
        ahead_(ahead),
        bytes_(memory_for(device)),
        memory_(device, static_cast<std::size_t>(bytes_), Place::low),
        random_(seed) {}

  void prove();
  void measure(Calibration& found);

 private:
  static std::int64_t memory_for(Device& device) {
    const auto free = device.free_bytes();
    const std::int64_t most = free ? std::min(kMemoryMax, *free / 4) : kMemoryUnknown;
    return std::max<std::int64_t>(most / 4096 * 4096, 4 * kLeastSweep);
  }

  void tell(const KernelLaunch& one) const {
    if (!ahead_) return;
    ahead_(place_of_entry(one.entry));
  }

  void run(const KernelLaunch& one) {
    tell(one);
    require(device_.launch(code_, one));
    require(device_.synchronize());
  }

  void require(const Outcome& outcome) const {
    if (!outcome.ok()) throw Outcome(outcome);
  }

  /// On `vectors` vectors of each array, which lie behind each other from `at`.
  KernelLaunch launch(const std::string& entry, std::int64_t at, std::int64_t vectors,
                      std::int64_t spread = 1, std::int64_t blocks = 0) const {
    KernelLaunch one;
    one.entry = entry;
    one.block[0] = kCalibrationBlock;
    const std::int64_t most = 16 * std::max<std::int64_t>(1, device_.properties().facts.cu_count);
    one.grid[0] =
        blocks > 0 ? blocks : std::clamp<std::int64_t>(vectors / kCalibrationBlock / 4, 1, most);
    for (const Argument& argument : arguments_of_entry(entry)) {
      if (argument.kind != Argument::Kind::tensor) continue;
      one.arguments.emplace_back(memory_.pointer() + static_cast<std::size_t>(at));
      at += kCalibrationVector * vectors * spread;
    }
    one.arguments.emplace_back(vectors);
    return one;
  }

  /// As many launches as the memory holds behind each other: none finds its data in a cache that is
  /// a third of it.
  std::vector<KernelLaunch> cold_ring(const Mix& mix, std::int64_t vectors,
                                      std::int64_t blocks = 0) const {
    // A read has a place for what it never writes.
    const int arrays = std::max(mix.reads + mix.writes, mix.entry[10] == 'r' ? 2 : 1);
    const std::int64_t set = kCalibrationVector * vectors * mix.spread * arrays;
    std::vector<KernelLaunch> ring;
    for (std::int64_t at = 0; at + set <= bytes_ && ring.size() < 4096; at += set)
      ring.push_back(launch(mix.entry, at, vectors, mix.spread, blocks));
    return ring;
  }

  double span_us(const std::vector<KernelLaunch>& ring, std::int64_t count) {
    tell(ring.front());
    SpanTicket ticket = device_.begin_span();
    for (std::int64_t i = 0; i < count; ++i) {
      require(device_.launch(code_, ring[next_ % ring.size()]));
      ++next_;
    }
    device_.end_span(ticket);
    SpanTime time;
    require(device_.read_span(ticket, &time));
    if (time.core_mhz > 0) core_mhz_ = time.core_mhz;
    return time.us;
  }

  /// Launches per span.
  std::int64_t count_for(const std::vector<KernelLaunch>& ring) {
    for (std::int64_t count = 1;; count *= 2) {
      const double us = span_us(ring, count);
      if (us < kSpanUs / 4 && count < (1 << 20)) continue;
      const double each = std::max(us, 1e-3) / static_cast<double>(count);
      return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(kSpanUs / each)));
    }
  }

  /// Of one launch, without what a span costs.
  double launch_us(const std::vector<KernelLaunch>& ring) {
    const std::int64_t count = count_for(ring);
    std::vector<double> once, twice;
    for (int i = 0; i < 3; ++i) {
      once.push_back(span_us(ring, count));
      twice.push_back(span_us(ring, 2 * count));
    }
    const double slope = (median(twice) - median(once)) / static_cast<double>(count);
    return slope > 0 ? slope : median(once) / static_cast<double>(count);
  }

  void measure_floors(Calibration& found);
  void measure_cache(Calibration& found);
  double best_us(const Mix& mix, std::int64_t vectors);
  void measure_bandwidth(Calibration& found);
  std::int64_t vectors_for(double us);
  Resolution resolution_at(double us);

  void prove_one(const Mix& mix);
  std::vector<std::uint32_t> read_words(std::int64_t at, std::int64_t count) {
    std::vector<std::uint32_t> words(static_cast<std::size_t>(count));
    device_.copy_from(words.data(), memory_.pointer() + static_cast<std::size_t>(at),
                      words.size() * sizeof(std::uint32_t));
    return words;
  }

  Device& device_;
  const LoadedCode& code_;
  const KernelAhead& ahead_;
  std::int64_t bytes_;
  DeviceMemory memory_;
  std::mt19937_64 random_;
  std::size_t next_ = 0;
  double core_mhz_ = 0;
};

/// What one launch makes of `words` words per array, by this machine.
std::vector<std::uint32_t> expected_words(const std::string& entry,
                                          const std::vector<std::uint32_t>& a,
                                          const std::vector<std::uint32_t>& b,
                                          std::vector<std::uint32_t> y) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool touched = entry != "calibrate_strided" || i / 32 % 4 == 0;
    if (entry == "calibrate_fill") y[i] = static_cast<std::uint32_t>(i / 4 + i % 4);
    if (entry == "calibrate_add") y[i] = a[i] + b[i];
    if ((entry == "calibrate_copy" || entry == "calibrate_strided") && touched) y[i] = a[i];
  }
  // The XOR of all that the only block's thread 0 reads is the mark that makes it write.
  if (entry == "calibrate_read") y[0] = 0x5eed1e55u;
  return y;
}

void Calibrator::prove_one(const Mix& mix) {
  // Not a whole number of blocks; one block, so that thread 0 is known.
  constexpr std::int64_t vectors = 3 * kCalibrationBlock + 40;
  const std::int64_t words = 4 * vectors * mix.spread;
  std::vector<std::uint32_t> a(static_cast<std::size_t>(words)), b(a.size()), y(a.size());
  for (auto* array : {&a, &b, &y})
    for (std::uint32_t& word : *array) word = static_cast<std::uint32_t>(random_());
  if (mix.entry == std::string("calibrate_read")) {
    std::uint32_t all = 0;
    for (std::int64_t v = 0; v < vectors; v += kCalibrationBlock)
      for (std::int64_t w = 0; w < 4; ++w) all ^= a[static_cast<std::size_t>(4 * v + w)];
    a[0] ^= all ^ 0x5eed1e55u;
  }
  const std::vector<Argument> arguments = arguments_of_entry(mix.entry);
  std::int64_t at = 0, y_at = 0;
  for (const Argument& argument : arguments) {
    if (argument.kind != Argument::Kind::tensor) continue;
    const auto& content = argument.name == "a" ? a : argument.name == "b" ? b : y;
    device_.copy_to(memory_.pointer() + static_cast<std::size_t>(at), content.data(),
                    content.size() * sizeof(std::uint32_t));
    if (argument.name == "y") y_at = at;
    at += kCalibrationVector * vectors * mix.spread;
  }
  run(launch(mix.entry, 0, vectors, mix.spread, 1));
  if (read_words(y_at, words) != expected_words(mix.entry, a, b, y))
    throw Outcome{Status::verification_failed,
                  fmt::format("{} computes something else: its times mean nothing", mix.entry)};
}

void Calibrator::prove() {
  for (const Mix& mix : kCalibrationMixes) prove_one(mix);
  constexpr std::int64_t steps = 1000;
  run(launch("calibrate_spin", 0, steps, 1, 1));
  const std::vector<std::uint32_t> values = read_words(0, kCalibrationBlock);
  for (std::uint32_t thread = 0; thread < kCalibrationBlock; ++thread) {
    std::uint32_t value = thread;
    for (std::int64_t i = 0; i < steps; ++i) value = value * 1664525u + 1013904223u;
    if (values[thread] != value)
      throw Outcome{Status::verification_failed, "calibrate_spin computes something else"};
  }
}

void Calibrator::measure_floors(Calibration& found) {
  const std::vector<KernelLaunch> one{launch("calibrate_empty", 0, 1)};
  found.floors.push_back({found.asynchronous ? "stream" : "call", launch_us(one)});
  if (!device_.queue().graphs) return;
  constexpr int replays = 32;
  const auto many = static_cast<std::size_t>(device_.queue().graph_launches_max);
  const std::vector<QueuedLaunch> list(many, {&code_, one.front()});
  Outcome outcome;
  const auto graph = device_.record(list, &outcome);
  if (!graph) return;
  require(device_.replay(*graph));
  SpanTicket ticket = device_.begin_span();
  for (int i = 0; i < replays; ++i) require(device_.replay(*graph));
  device_.end_span(ticket);
  SpanTime time;
  require(device_.read_span(ticket, &time));
  found.floors.push_back({"graph", time.us / replays / static_cast<double>(many)});
}

void Calibrator::measure_cache(Calibration& found) {
  for (std::int64_t bytes = kLeastSweep; bytes <= bytes_ / 2; bytes *= 2) {
    const std::int64_t vectors = bytes / kCalibrationVector;
    const double us = launch_us({launch("calibrate_read", 0, vectors)});
    found.cache_sweep.push_back({"1:0", 1, bytes, static_cast<double>(bytes) / us / 1000});
  }
  // The memory's own bandwidth is that of sets which share nothing.
  const std::int64_t vectors = std::max<std::int64_t>(1, bytes_ / 8 / kCalibrationVector);
  const double us = launch_us(cold_ring(kCalibrationMixes[0], vectors));
  const double plateau = static_cast<double>(vectors * kCalibrationVector) / us / 1000;
  for (const Bandwidth& one : found.cache_sweep)
    if (one.gb_s > kPlateau * plateau) found.cache_bytes = one.bytes;
}

/// A limit is what the best of several grids reaches: as many blocks as the device holds, which go
/// on, or as many as the data asks for, with four vectors per thread or with one. 0: too large.
double Calibrator::best_us(const Mix& mix, std::int64_t vectors) {
  double best = 0;
  const std::int64_t all = std::max<std::int64_t>(1, vectors / kCalibrationBlock);
  for (const std::int64_t blocks : {std::int64_t{0}, std::max<std::int64_t>(1, all / 4), all}) {
    const std::vector<KernelLaunch> ring = cold_ring(mix, vectors, blocks);
    if (ring.empty()) return 0;
    const double us = launch_us(ring);
    if (best == 0 || us < best) best = us;
    // On the host blocks run one after the other.
    if (!device_.queue().asynchronous) break;
  }
  return best;
}

void Calibrator::measure_bandwidth(Calibration& found) {
  for (const Mix& mix : kCalibrationMixes)
    for (std::int64_t bytes = std::min<std::int64_t>(1 << 20, bytes_ / 8); bytes <= bytes_ / 8;
         bytes *= 4) {
      const int arrays = mix.reads + mix.writes;
      const std::int64_t vectors = bytes / kCalibrationVector / arrays;
      const double us = best_us(mix, vectors);
      if (us == 0) continue;
      const auto touched = vectors * kCalibrationVector * arrays;
      found.bandwidth.push_back({mix.name, static_cast<double>(mix.reads) / arrays, touched,
                                 static_cast<double>(touched) / us / 1000});
    }
}

/// Of a copy that takes about so long, as far as the memory goes.
std::int64_t Calibrator::vectors_for(double us) {
  const std::int64_t most = bytes_ / 4 / (2 * kCalibrationVector);
  double vectors = kCalibrationBlock;
  // Time does not grow with size where it is short; the second estimate starts near the end.
  for (int i = 0; i < 4; ++i) {
    const auto whole =
        std::clamp<std::int64_t>(static_cast<std::int64_t>(vectors), kCalibrationBlock, most);
    vectors = static_cast<double>(whole) *
              std::min(64.0, us / launch_us(cold_ring(kCalibrationMixes[2], whole)));
  }
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(vectors), kCalibrationBlock, most);
}

Resolution Calibrator::resolution_at(double us) {
  const std::int64_t vectors = vectors_for(us);
  std::vector<double> epochs;
  Resolution found;
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    // Other memory for each epoch, the same for both arms.
    std::vector<KernelLaunch> ring = cold_ring(kCalibrationMixes[2], vectors);
    std::shuffle(ring.begin(), ring.end(), random_);
    const std::int64_t count = count_for(ring);
    std::vector<double> rounds;
    for (int round = 0; round < kRounds; ++round) {
      double logs[2] = {0, 0};
      const int coin = static_cast<int>(random_() % 2);
      for (const int arm : {coin, 1 - coin, 1 - coin, coin}) {
        const double span = span_us(ring, count);
        logs[arm] += std::log(span) / 2;
        found.launch_us = span / static_cast<double>(count);
      }
      rounds.push_back(logs[1] - logs[0]);
    }
    epochs.push_back(median(rounds));
  }
  const Interval interval = t_interval(epochs);
  found.ratio = std::exp(interval.mid);
  found.half_width = interval.high - interval.mid;
  return found;
}

void Calibrator::measure(Calibration& found) {
  found.tick_us = measure_tick_us(device_);
  // Until the device is awake.
  const std::vector<KernelLaunch> copies =
      cold_ring(kCalibrationMixes[2], bytes_ / 8 / (2 * kCalibrationVector));
  for (int i = 0; i < 3; ++i) launch_us(copies);
  measure_floors(found);
  measure_cache(found);
  measure_bandwidth(found);
  for (const double us : {10.0, 1000.0}) found.resolution.push_back(resolution_at(us));
  found.core_mhz = core_mhz_;
}

}  // namespace

double Calibration::gate_share() const {
  double widest = 0;
  for (const Resolution& one : resolution) widest = std::max(widest, one.half_width);
  return std::max(kGate, kGateWidths * widest);
}

bool Calibration::can_gate() const {
  return outcome.ok() && !resolution.empty() && gate_share() <= kGate &&
         std::all_of(resolution.begin(), resolution.end(), [](const Resolution& one) {
           return std::abs(one.ratio - 1) <= kBiasMax + one.half_width;
         });
}

Calibration calibrate(Device& device, const LoadedCode& code, std::uint64_t seed,
                      const KernelAhead& ahead) {
  Calibration found;
  found.asynchronous = device.queue().asynchronous;
  found.cache_bytes_said = device.properties().cache_bytes;
  found.free_bytes = device.free_bytes();
  found.other_users = device.other_users();
  try {
    device.schedule(0);
    Calibrator calibrator(device, code, seed, ahead);
    calibrator.prove();
    calibrator.measure(found);
  } catch (const Outcome& outcome) {
    found.outcome = outcome;
  } catch (const DeviceError& error) {
    found.outcome = {error.status(), error.what()};
  } catch (const std::bad_alloc&) {
    found.outcome = {Status::out_of_memory, "no memory to measure in"};
  }
  return found;
}

}  // namespace fusetune

#pragma once
// The script of the simulated device: how long its kernels take, with what noise, and what goes
// wrong at which variants. Read from the YAML file that $FUSETUNE_SIMULATION names; without one
// nothing goes wrong. docs/simulation.md explains the keys.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/base/error.hpp"

namespace fusetune {

/// Something that goes wrong at chosen variants.
struct SimulatedFault {
  enum class Kind {
    // While it is compiled.
    compile_error,
    compiler_crash,
    compiler_hang,
    garbage_code,
    // At a launch.
    launch_error,
    kernel_fault,
    poisoned_context,
    kernel_hang,
    wrong_result,
    lost_launch,
    worker_death,
    out_of_memory,
    other_stream,
  };
  Kind kind = Kind::compile_error;
  std::string entry;                           ///< "" for any
  std::map<std::string, std::string> variant;  ///< axes that it must have; the others are free
  std::int64_t launch = 1;  ///< first launch of the loaded code at which it happens
  std::int64_t times = 0;   ///< launches in a row, 0: from then on all
  std::int64_t blocks = 0;  ///< only at launches of as many blocks at least
  Mark mark;

  bool while_compiled() const { return kind <= Kind::garbage_code; }
};

/// Shares of a time, as in docs/measuring.md; all 0 is a device without noise.
struct SimulatedNoise {
  double session = 0;           ///< standard deviation over sessions
  double drift = 0;             ///< of a slow drift that all arms share
  double drift_memory = 0.98;   ///< how much of it is left from sample to sample
  double placement = 0;         ///< per arm and memory
  double sample = 0;            ///< per sample
  double outliers = 0;          ///< how many samples are late
  double outlier_excess = 0.2;  ///< by how much, on average
};

/// Between two moments of the virtual clock every launch takes so many times its time.
struct Throttling {
  double from_us = 0, to_us = 0, factor = 1;
  bool core = true;  ///< the core clock shows it; that of the memory cannot be read
};

/// At a moment of the virtual clock it is put forward, or back.
struct ClockJump {
  double at_us = 0, by_us = 0;
};

/// How launches reach the device. Without it they are done when they return, and take no time but
/// their own.
struct SimulatedQueue {
  bool asynchronous = false;
  double launch_us = 4;            ///< of this machine, per launch or replay
  double launch_gap_us = 1;        ///< of the device, before a launch
  double graph_start_us = 8;       ///< of the device, before the first launch of a replay
  double graph_gap_us = 0.5;       ///< of the device, before each launch of a replay
  double span_us = 0;              ///< of the device, at the end of a timed span
  std::int64_t depth = 1024;       ///< launches and replays that wait; one more waits for room
  bool graphs = true;              ///< lists of launches can be recorded
  double tick_us = 0.5;            ///< of the device's clock
  double core_mhz = 1500;          ///< 0: not known
  double copy_bytes_per_us = 2e6;  ///< of copies within the memory
  double cached = 1;               ///< what is left of a launch's time on cached data
};

/// A formula over axes, static symbols, runtime symbols, `grid_blocks` and `block_threads`. It is
/// parsed with the names of a code object, at its first launch.
struct TimeFormula {
  std::string nanoseconds;
  Mark mark;
};

/// What another device measured of one variant and case, to be played back in its order.
struct RecordedSeries {
  std::string entry;
  std::map<std::string, std::string> values;  ///< axes, static and runtime symbols
  std::vector<double> us;
};

struct Simulation {
  std::string name = "none";
  std::uint64_t seed = 1;
  std::string compiler_version = "1";
  std::int64_t code_bytes = 4096;  ///< about so large is a code object
  std::int64_t memory_bytes = 0;   ///< of the device, 0: without limit
  std::int64_t cache_bytes = 1 << 20;
  std::map<std::string, TimeFormula> times;  ///< by entry
  std::vector<RecordedSeries> recorded;      ///< in place of times and noise, when not empty
  SimulatedNoise noise;
  SimulatedQueue queue;
  std::vector<std::string> other_users;
  std::vector<Throttling> throttling;
  std::vector<ClockJump> clock_jumps;
  std::vector<SimulatedFault> faults;

  /// Changes with everything that a measured time depends on.
  std::string measuring_key() const;
  /// Faults of one stage that apply to code with these entries and macros. Throws UserError at a
  /// fault that names an axis which the code does not have.
  std::vector<const SimulatedFault*> faults_of(
      bool while_compiled, const std::vector<std::string>& entries,
      const std::map<std::string, std::string>& macros) const;
};

/// Throws UserError with the place of the error.
Simulation read_simulation(const std::filesystem::path& file);

/// That of $FUSETUNE_SIMULATION, read once per process.
const Simulation& present_simulation();

}  // namespace fusetune

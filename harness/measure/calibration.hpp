#pragma once
// What a device's figures can be worth: its clock, what launches cost, its cache and its memory,
// and how well a kernel can be told from itself. `fusetune doctor` prints it.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/compile/compiler.hpp"
#include "harness/device/device.hpp"

namespace fusetune {

/// Time of a launch that does nothing.
struct LaunchFloor {
  std::string path;  ///< "call" (done when it returns), "stream" or "graph"
  double us = 0;
};

struct Bandwidth {
  std::string mix;        ///< reads to writes: "1:0", "1:1", "2:1"; "1:1 strided" touches a quarter
  double read_share = 0;  ///< of the bytes
  std::int64_t bytes = 0;  ///< that a launch touches
  double gb_s = 0;
};

/// A kernel against itself.
struct Resolution {
  double launch_us = 0;
  double ratio = 1;
  double half_width = 0;  ///< of the 95 % interval, as a share
};

struct Calibration {
  Outcome outcome;  ///< of the proof of the kernels, or of a launch
  bool asynchronous = false;
  double tick_us = 0;  ///< 0: finer than can be seen
  std::vector<LaunchFloor> floors;
  std::int64_t cache_bytes_said = 0;
  std::int64_t cache_bytes = 0;  ///< as measured; 0 where no step shows
  std::vector<Bandwidth> cache_sweep;
  std::vector<Bandwidth> bandwidth;  ///< cold
  std::vector<Resolution> resolution;
  double core_mhz = 0;  ///< 0 where the device cannot tell
  std::optional<std::int64_t> free_bytes;
  std::optional<std::vector<std::string>> other_users;

  /// The least change that a gate can be asked for: 3 %, or one and a half of the resolution.
  double gate_share() const;
  bool can_gate() const;
};

/// Told which kernel is about to run, by its place (place_of_entry).
using KernelAhead = std::function<void(std::size_t entry)>;

/// `code` is what was made of calibration_request() (calibration_kernels.hpp). Proves the kernels,
/// then measures.
Calibration calibrate(Device& device, const LoadedCode& code, std::uint64_t seed,
                      const KernelAhead& ahead = {});

Json to_json(const Calibration& calibration);
Calibration calibration_from_json(const Json& json);

}  // namespace fusetune

#pragma once
// Arms of known times on the simulated device: what a race finds out can be compared with the
// truth.

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/base/files.hpp"
#include "harness/base/temporary_folder.hpp"
#include "harness/compile/simulated_code.hpp"
#include "harness/device/simulated/simulated_device.hpp"
#include "harness/measure/race.hpp"

namespace fusetune::testing {

class SimulatedRace {
 public:
  /// A launch of arm `a` takes `us[a]`, in whole nanoseconds.
  SimulatedRace(Simulation script, const std::vector<double>& us) : simulation_(std::move(script)) {
    ::setenv("FUSETUNE_KERNEL_PATH", FUSETUNE_SOURCE_DIR "/tests/faults/kernels", 1);
    simulation_.times["simulated_rows_plain"].nanoseconds = "time_ns";
    device_ = std::make_unique<SimulatedDevice>(parse_target("simulated"), simulation_);
    which_ =
        parse_case_key("simulated_rows(act=bf16,hk=8,hv=8,layout=contiguous,nk=1,nv=2,tokens=4)");
    const Variant variant = parse_variant_key(*which_.geometry.family, "implementation=unfused");
    const std::vector<Launch> launches =
        launches_of(which_, variant, parse_target("simulated"), device_->properties().facts);
    for (std::size_t a = 0; a < us.size(); ++a) {
      SimulatedCode code;
      code.entries[launches.front().entry] = launches.front().arguments;
      code.macros = {{"FT_QKV_WIDTH", "32"},
                     {"FT_Z_WIDTH", "16"},
                     {"FT_NV", "2"},
                     {"FT_ARM", std::to_string(a)},
                     {"FT_TIME_NS", std::to_string(static_cast<std::int64_t>(1000 * us[a]))}};
      const std::filesystem::path file = folder_.path() / std::to_string(a);
      write_file_atomic(file, to_bytes(code, 256));
      Outcome outcome;
      codes_.push_back(device_->load(file.string(), &outcome));
      if (!codes_.back()) throw std::runtime_error(outcome.message);
      arms_.push_back({codes_.back().get(), launches});
    }
  }

  RaceResult run(const RaceOptions& options = {}) { return race(*device_, arms_, which_, options); }
  /// Through another device, which hands its launches on to this one.
  RaceResult run_on(Device& device, const RaceOptions& options = {},
                    const DigestRegions& digests = {}) {
    return race(device, arms_, which_, options, {}, digests);
  }
  SimulatedDevice& device() { return *device_; }
  const LoadedCode& code(std::size_t arm) const { return *codes_[arm]; }
  const Case& which() const { return which_; }

 private:
  Simulation simulation_;
  TemporaryFolder folder_{"simulated-race"};
  std::unique_ptr<SimulatedDevice> device_;
  Case which_;
  std::vector<std::unique_ptr<LoadedCode>> codes_;
  std::vector<RunnableVariant> arms_;
};

/// A quiet GPU: an asynchronous queue, and a cache that three argument sets leave.
inline Simulation quiet_gpu() {
  Simulation simulation;
  simulation.queue.asynchronous = true;
  simulation.queue.copy_bytes_per_us = 1000;
  simulation.cache_bytes = 2048;
  return simulation;
}

}  // namespace fusetune::testing

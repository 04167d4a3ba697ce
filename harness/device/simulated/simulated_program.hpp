#pragma once
// A code object that the simulated device has loaded.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/compile/simulated_code.hpp"
#include "harness/device/device.hpp"
#include "harness/device/simulated/simulated_kernels.hpp"
#include "harness/spec/expr.hpp"
#include "harness/spec/simulation.hpp"

namespace fusetune {

class SimulatedProgram : public LoadedCode {
 public:
  /// `session` is kept while the code is loaded. Throws UserError for a script that does not fit.
  SimulatedProgram(SimulatedCode code, const Simulation& simulation,
                   std::shared_ptr<std::uint64_t> session);

  std::uint64_t identity() const { return identity_; }
  /// The launch with its arguments by name; an outcome when they are not those of the entry.
  Outcome bind(const KernelLaunch& launch, SimulatedLaunch* bound) const;
  /// Without noise; of a recorded space what was recorded, one sample after the other, and nothing
  /// where nothing was. `sample` is the number of the clock's.
  std::optional<double> time_us(const std::string& entry, const SimulatedLaunch& launch,
                                std::uint64_t sample) const;
  /// An entry with what its code depends on, for messages.
  std::string text(const std::string& entry) const;
  /// Counts a launch, and returns the fault that happens at it, or nullptr.
  const SimulatedFault* next_fault(const std::string& entry, std::int64_t blocks) const;

 private:
  double formula_us(const std::string& entry, const SimulatedLaunch& launch) const;
  /// nullptr when there is none.
  const RecordedSeries* series_of(const std::string& entry, const SimulatedLaunch& launch) const;

  SimulatedCode code_;
  const Simulation& simulation_;
  std::shared_ptr<std::uint64_t> session_;
  std::uint64_t identity_;
  Bindings values_;  ///< of the macros, as names of expressions
  SymbolTable symbols_;
  std::vector<const SimulatedFault*> faults_;
  // A launch changes neither code nor entry, and the device gets both as constants.
  mutable std::int64_t launches_ = 0;
  mutable std::map<std::string, Expr> formulas_;
  /// What is known of an entry and its numbers.
  struct Timing {
    double us = 0;
    const RecordedSeries* series = nullptr;
    std::uint64_t sample = 0;  ///< of the clock, that was seen last
    std::size_t played = 0;
  };
  mutable std::map<std::string, Timing> timings_;
};

}  // namespace fusetune

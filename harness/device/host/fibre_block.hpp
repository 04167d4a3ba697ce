#pragma once
// Runs the threads of one block as fibres: each runs until a barrier or a wave operation, then the
// next. Lanes of a wave go in turn, waves in turn; a seed permutes both.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/device/host/fibre_stacks.hpp"
#include "harness/device/host/host_abi.h"

namespace fusetune {

class ExactRuntime;

class FibreBlock {
 public:
  /// What a block needs to know of the module that it runs.
  struct Program {
    const ft_host_module* module = nullptr;
    const ft_host_entry* entry = nullptr;
    const unsigned long long* arguments = nullptr;
    const ft_host_dim* threads = nullptr;  ///< threadIdx of each thread, in natural order
    int thread_count = 0;
    ExactRuntime* exact = nullptr;  ///< is told where threads meet; wave operations are for all
  };

  /// Runs a block to its end, or until its threads can no longer meet: then divergence() says how.
  bool run(const Program& program, std::uint64_t seed);

  const std::string& divergence() const { return divergence_; }
  /// The thread that runs, or ran when a fault left the block.
  const int& current_thread() const { return current_; }
  const FibreStacks& stacks() const { return stacks_; }

  // Called from the fibres, through the functions of host_abi.h.
  enum class Operation : std::uint8_t { barrier, wave_sync, ballot, shuffle };
  ft_host_switch arrive(Operation operation, std::uint64_t value, int source_lane, int line);
  [[noreturn]] void run_current_thread();

 private:
  using LaneMask = std::uint64_t;  ///< of positions in the running order

  struct Wave {
    LaneMask ready = 0;    ///< can run
    LaneMask waiting = 0;  ///< at a wave operation
    LaneMask barrier = 0;  ///< at a block barrier
    LaneMask done = 0;
    int line = 0;  ///< of the first that waits
    Operation operation = Operation::wave_sync;
    bool mixed = false;  ///< lanes wait at different operations
  };

  void start(std::uint64_t seed);
  void order_lanes(std::uint64_t seed);
  void order_waves();
  ft_host_switch next();
  ft_host_switch go_to(int wave, int position);
  bool resolve(int wave_index);
  bool tell_exact(int wave_index, LaneMask group);
  bool diverge_in_wave(int wave_index, LaneMask group, LaneMask absent);
  LaneMask leading_group(const Wave& wave, int base) const;
  bool shuffle(const Wave& wave, LaneMask group, int base, int line);
  void ballot(LaneMask group, int base);
  bool release_barrier();
  ft_host_switch finish();
  bool diverge_at_barrier();

  Program program_;
  FibreStacks stacks_;
  std::vector<Wave> waves_;
  std::array<std::uint8_t, 64> lane_of_{}, position_of_{};
  std::vector<int> wave_order_;
  std::size_t turn_ = 0;  ///< index into wave_order_
  int wave_size_ = 64;
  int wave_shift_ = 6;  ///< dividing by the wave size would cost more than the switch
  int current_ = 0;     ///< thread
  std::uint64_t random_ = 0;
  void* main_ = nullptr;

  // Per thread.
  std::vector<void*> stack_pointer_;
  std::vector<std::uint64_t> value_, result_;
  std::vector<int> source_, line_;
  std::vector<Operation> operation_;
  std::string divergence_;
};

}  // namespace fusetune

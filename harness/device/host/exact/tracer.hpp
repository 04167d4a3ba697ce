#pragma once
// Puts the accesses of single lanes together to wave instructions and counts what they cost a
// memory: segments of global memory, bank passes of shared memory.
//
// Lanes run one after the other here, so an instruction has to be guessed: between two barriers,
// the k-th execution of one code address by each lane of a wave is one instruction. That is exact
// where the lanes of a wave take the same path, or leave a loop early. Where a lane skips an
// iteration in the middle of a loop, its later ones are put beside their predecessors until the
// next barrier.

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "harness/device/watch.hpp"

namespace fusetune {

class Tracer {
 public:
  /// Where the code of a site comes from: "kernels/x/x.hip:41".
  using SourcePlace = std::function<std::string(std::uintptr_t site)>;

  /// Forgets everything, also a launch that never ended.
  void clear();

  void begin_launch(std::string entry, int wave_size, int threads);
  /// One access by one thread of the running block (its linear number). `site` is the code address
  /// as it will be asked for; `address` is an offset in the block's shared memory where `shared`.
  /// What is wider than 16 bytes counts as several accesses.
  void access(std::uintptr_t site, int thread, std::uintptr_t address, std::size_t bytes,
              bool write, bool shared);
  void barrier();         ///< all threads of the block have met
  void wave_operation();  ///< some lanes of a wave have
  void end_block();
  void end_launch(const SourcePlace& place);

  /// Over all launches that have ended since clear().
  TracedTraffic traffic() const;

 private:
  struct Access {
    std::uint64_t order = 0;  ///< instruction, then lane: what sorting puts together
    std::uintptr_t address = 0;
  };
  /// What one piece of code does: accesses of one width and direction.
  struct Site {
    std::uintptr_t code = 0;
    std::uint32_t piece = 0;  ///< of an access wider than 16 bytes
    SiteTraffic traffic;
    std::vector<std::uint32_t> executions;  ///< per thread, since the last barrier
  };
  using Place = std::tuple<std::string, std::string, bool, bool, std::int64_t>;

  void add(std::uintptr_t code, std::uint32_t piece, int thread, std::uintptr_t address,
           std::int64_t bytes, bool write, bool shared);
  std::size_t site_of(std::uintptr_t code, std::uint32_t piece, std::int64_t bytes, bool write,
                      bool shared);
  void count_instructions();
  void count_instruction(std::span<const Access> lanes, SiteTraffic& traffic);
  void count_shared(std::span<const Access> lanes, SiteTraffic& traffic);

  std::string entry_;
  int wave_size_ = 64;
  int threads_ = 0;
  std::vector<Site> sites_;
  std::unordered_map<std::uint64_t, std::size_t> site_numbers_;
  std::size_t last_site_ = 0;
  std::vector<Access> accesses_;         ///< since the last barrier
  std::vector<std::uintptr_t> scratch_;  ///< addresses or words of one instruction
  TracedTraffic launch_;                 ///< of the running launch, without sites
  TracedTraffic ended_;
  std::map<Place, SiteTraffic> ended_sites_;
};

}  // namespace fusetune

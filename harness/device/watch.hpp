#pragma once
// What a device that sees every access is told of a proof's memory, and what it tells back.

#include <cstdint>
#include <string>
#include <vector>

namespace fusetune {

/// The memory of one tensor. Bytes between its rows belong to nobody.
struct WatchedTensor {
  std::string name;
  std::uintptr_t data = 0;
  std::int64_t rows = 0, row_bytes = 0, stride_bytes = 0;
  bool initialised = true;  ///< holds something before the launches: not so for out and workspace
  bool writable = true;     ///< not so for in
};

/// Bytes of a writable, uninitialised tensor that no launch has written since watch().
struct UnwrittenRange {
  std::string tensor;
  std::int64_t first_byte = 0;  ///< from the tensor's data, row padding counted
  std::int64_t bytes = 0;       ///< up to the next written byte or the row's end
};

/// What the wave instructions of one source line did to memory, summed over a launch list. A wave
/// instruction is one access by the lanes of a wave that execute it together.
struct SiteTraffic {
  std::string entry;
  std::string place;  ///< "kernels/x/x.hip:41"
  bool write = false;
  bool shared = false;            ///< LDS instead of global memory
  std::int64_t access_bytes = 0;  ///< per lane
  std::int64_t instructions = 0;
  std::int64_t lanes = 0;  ///< that took part, summed
  /// Global memory: distinct aligned segments touched, and the fewest that could hold the bytes.
  std::int64_t segments_32 = 0, segments_64 = 0, segments_128 = 0;
  std::int64_t ideal_32 = 0, ideal_64 = 0, ideal_128 = 0;
  /// LDS, 32 banks of 4 bytes: passes needed, and passes without conflicts. Lanes are taken in
  /// groups that read 128 bytes; lanes of a group that read the same word share it.
  std::int64_t bank_passes = 0, bank_passes_ideal = 0;
};

struct TracedTraffic {
  std::vector<SiteTraffic> sites;                ///< by entry, then place
  std::int64_t barriers = 0;                     ///< block barriers, per block
  std::int64_t wave_operations = 0;              ///< shuffles, ballots and wave_syncs, per wave
  std::int64_t read_bytes = 0, write_bytes = 0;  ///< of global memory, every lane's own
};

}  // namespace fusetune

#pragma once
// What a race's worker notes for its supervisor: which arm it is about to run, and how long that
// may take by what was seen of it. So a hang is ended in seconds, and an arm that hangs or takes
// the worker down is known, at whichever launch that happens.

#include <cstddef>
#include <cstdint>
#include <optional>

#include "harness/process/step_note.hpp"

namespace fusetune {

/// Where in a race a worker was.
struct RaceMoment {
  std::int32_t arm = 0;
  bool after_timing = false;  ///< in the proof after it was timed

  std::int64_t subject() const { return 2 * std::int64_t{arm} + (after_timing ? 1 : 0); }
  /// Nothing where no arm ran, or the worker wrote something else.
  static std::optional<RaceMoment> from_subject(std::int64_t subject, std::size_t arms);
};

class RaceNotes {
 public:
  explicit RaceNotes(NotePage& page) : page_(page) {}

  /// Memory is made ready, no arm runs: it takes as long as the case is large.
  void preparing();
  /// `arm` is about to be loaded or timed, for about so long; 0: unknown.
  void timing(std::int32_t arm, double expected_us);
  /// So many arms are probed, and so many can still win.
  void count(std::int32_t probed, std::int32_t left) { page_.count(probed, left); }
  /// `arm` is proved, and its launches run or do not.
  void proving(std::int32_t arm, bool launches);

 private:
  NotePage& page_;
};

}  // namespace fusetune

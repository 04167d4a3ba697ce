#include "harness/tune/race_notes.hpp"

#include <chrono>
#include <cmath>

namespace fusetune {

namespace {

using std::chrono::microseconds;

constexpr std::int64_t kNoArm = -1;
// The rings of the largest cases, and their inputs, on a slow machine.
constexpr microseconds kPreparing = std::chrono::minutes(5);
// It is done of small cases alone.
constexpr microseconds kProofAtHost = std::chrono::minutes(2);

}  // namespace

std::optional<RaceMoment> RaceMoment::from_subject(std::int64_t subject, std::size_t arms) {
  if (subject < 0 || subject / 2 >= static_cast<std::int64_t>(arms)) return std::nullopt;
  return RaceMoment{static_cast<std::int32_t>(subject / 2), subject % 2 == 1};
}

void RaceNotes::preparing() { page_.rest(kNoArm, kPreparing); }

void RaceNotes::timing(std::int32_t arm, double expected_us) {
  page_.write(RaceMoment{arm, false}.subject(),
              microseconds(static_cast<std::int64_t>(std::ceil(expected_us))));
}

void RaceNotes::proving(std::int32_t arm, bool launches) {
  const std::int64_t subject = RaceMoment{arm, true}.subject();
  if (launches)
    page_.write(subject, microseconds(0));
  else
    page_.rest(subject, kProofAtHost);
}

}  // namespace fusetune

#pragma once
// What is planted on the path that is timed: in one arm of a race whose other arm is the same
// kernel as it is shipped. A race that does not notice each of them is worth nothing.

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fusetune {

struct Plant {
  enum class Kind {
    other_stream,     ///< launches go beside the queue
    lost_launches,    ///< every so-manyth launch does not run
    done_once,        ///< what ran once with the same arguments does not run again
    first_arguments,  ///< launches of a graph run with the arguments of its first
    half_the_rows,    ///< of every launch; a grid alone says nothing of kernels that go on in steps
    last_row,         ///< of every launch is left out
    twice,            ///< every launch runs twice
    hangs,            ///< a launch never ends
    faults            ///< a launch takes its tensors to be elsewhere
  };
  Kind kind = Kind::other_stream;
  std::string name;
  std::string about;
  std::set<std::string> found_by;  ///< the checks that may find it
  bool from_start = false;         ///< before it is timed, too
  std::int64_t after = 0;          ///< launches that are as they should be; or every so-manyth
  bool long_launches = false;      ///< shows where a launch takes longer than to submit it
  bool graphs = false;             ///< is a bug of graphs
};

// Who finds a plant, beside the statuses of launches that fail.
constexpr std::string_view kProofBefore = "proof before timing";
constexpr std::string_view kClocks = "clocks";
constexpr std::string_view kTimedPath = "timed path";
constexpr std::string_view kProofAfter = "proof after timing";
constexpr std::string_view kSlower = "slower";

const std::vector<Plant>& plants();

/// Throws UserError with the nearest name.
const Plant& find_plant(std::string_view name);

}  // namespace fusetune

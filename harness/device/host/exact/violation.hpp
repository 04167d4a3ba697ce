#pragma once
// What an instrumented kernel did wrong. Plain, because it is noted on a stack that is given up.

#include <cstddef>
#include <cstdint>

namespace fusetune {

struct Violation {
  enum class Kind { race, uninitialised, input_modified, out_of_bounds, misaligned, index };

  /// One side of it.
  struct Side {
    bool write = false;
    bool atomic = false;
    std::uintptr_t site = 0;  ///< offset in the module's code, 0 when unknown
    int thread = 0;           ///< linear
    std::uint64_t block = 0;  ///< linear
  };

  Kind kind = Kind::race;
  Side now;
  Side earlier;                 ///< of a race
  std::uintptr_t address = 0;   ///< of the first byte concerned
  std::size_t bytes = 0;        ///< of the access, or its alignment where that is wrong
  std::int64_t index = 0;       ///< outside of `array`
  const char* array = nullptr;  ///< "'float [4]'", in the module
};

}  // namespace fusetune

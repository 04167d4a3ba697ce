#pragma once
// Spaces of which every time is known: recorded ones (scripts/record-space) and made-up ones.

#include <filesystem>
#include <string>
#include <vector>

#include "harness/search/search_space.hpp"

namespace fusetune::test {

struct RecordedSpace {
  std::string name;
  SearchSpace space;
  std::vector<std::vector<double>> samples_us;  ///< per point
  std::vector<double> us;                       ///< per point, their median

  double best_us() const;
};

/// Each case of a recording by itself. Axes with one value are left out.
std::vector<RecordedSpace> read_recording(const std::filesystem::path& file);
/// tests/search/spaces/*.json, by name.
std::vector<RecordedSpace> recorded_spaces();

/// A kernel that moves rows, as a GPU would run it, with what makes axes depend on each other:
/// bytes in flight by all axes at once, blocks that do not fill the last wave of blocks, registers
/// that spill, and a few percent of each variant's own.
RecordedSpace made_up_space(const std::string& name, double rows, double row_bytes);

}  // namespace fusetune::test

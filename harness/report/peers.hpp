#pragma once
// Times of other programs' kernels, from a CSV file.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/report/report_data.hpp"

namespace fusetune {

/// One line of the file.
struct PeerLine {
  std::string case_key;  ///< in full
  std::string peer;
  double us = 0;
  int line = 0;
};

/// Reads a file with a line of column names first: `case` (a case key, with its defaults or
/// without), `peer`, and `us` or `us_cold`; others are passed over, and so are lines without a
/// time ("" or "None"). Throws UserError with file:line for a missing column, a key that is none,
/// or a time that is none.
std::vector<PeerLine> parse_peers(std::string_view text, const std::string& name);
std::vector<PeerLine> peers_from_file(const std::filesystem::path& file);

/// Gives each geometry of each device its peers. What no case here has is counted in
/// `report.left_out`.
void add_peers(const std::vector<PeerLine>& lines, Report& report);

}  // namespace fusetune

#pragma once
// Tables whose sources changed and whose code did not: a comment, a name, a variant of the same
// file. A row answers for the sources that it names, so it would fall back until it is tuned again.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/tune/session.hpp"

namespace fusetune {

/// What became of one table.
struct RefreshedTable {
  std::string device, family;
  std::int64_t current = 0;    ///< rows that name the present sources
  std::int64_t refreshed = 0;  ///< rows whose code is the same: they name them now
  struct Left {
    std::string geometry, variant;  ///< keys
    std::int64_t tuned_at = 0;
    std::string why;
  };
  std::vector<Left> left;                      ///< rows that have to be tuned again
  std::vector<std::filesystem::path> written;  ///< none where nothing was refreshed
};

/// All tables below the session's results folder, or those of one device and family ("" for all):
/// compiles the rows that name other sources, and gives them the present hash where the code
/// identity is that of the row. Throws UserError where there is no such table, or one is not as it
/// was written.
std::vector<RefreshedTable> refresh_tables(Session& session, const std::string& device,
                                           const std::string& family);

}  // namespace fusetune

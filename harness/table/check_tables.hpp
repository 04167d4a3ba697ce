#pragma once
// Whether the tables below a results folder are as they were written.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace fusetune {

struct TableFile {
  std::filesystem::path file;
  std::string problem;  ///< "" when it is whole
};

/// The table of one family for one device, with what is written from it.
struct TableCheck {
  std::string device, family;
  std::int64_t rows = 0;
  std::vector<TableFile> files;

  bool whole() const;
};

/// All of them, sorted; none where the folder is missing.
std::vector<TableCheck> check_tables(const std::filesystem::path& results_root);

}  // namespace fusetune

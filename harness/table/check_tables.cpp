#include "harness/table/check_tables.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <string_view>
#include <system_error>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/table/seal.hpp"
#include "harness/table/table.hpp"

namespace fusetune {

namespace fs = std::filesystem;

namespace {

std::string problem_of(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(file, error)) return "it is missing";
  try {
    return seal_problem(read_file(file));
  } catch (const UserError& unreadable) {
    return unreadable.what();
  }
}

bool begins_with(const fs::path& file, std::string_view begin) {
  std::ifstream stream(file, std::ios::binary);
  std::string text(begin.size(), '\0');
  return stream.read(text.data(), std::ssize(text)) && text == begin;
}

/// Of the table that a file is of, whichever of its files is lost; "" for any other: beside tables
/// there may be anything.
std::string family_of(const fs::path& path) {
  constexpr std::string_view kBegin = "fusetune_", kTest = "_test";
  const std::string stem = path.stem().string();
  if (path.extension() == ".hpp" && stem.starts_with(kBegin)) return stem.substr(kBegin.size());
  if (path.extension() == ".cpp" && stem.starts_with(kBegin) && stem.ends_with(kTest))
    return stem.substr(kBegin.size(), stem.size() - kBegin.size() - kTest.size());
  if (path.extension() == ".yaml" && begins_with(path, "# Written by fusetune")) return stem;
  return "";
}

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    paths.push_back(it->path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

bool TableCheck::whole() const {
  return std::all_of(files.begin(), files.end(),
                     [](const TableFile& file) { return file.problem.empty(); });
}

std::vector<TableCheck> check_tables(const fs::path& results_root) {
  std::vector<TableCheck> checks;
  for (const fs::path& folder : sorted_entries(results_root)) {
    std::set<std::string> families;
    for (const fs::path& path : sorted_entries(folder)) families.insert(family_of(path));
    families.erase("");
    for (const std::string& family : families) {
      TableCheck check;
      check.device = folder.filename().string();
      check.family = family;
      for (const fs::path& file : table_paths(results_root, check.device, family))
        check.files.push_back({file, problem_of(file)});
      if (check.files.front().problem.empty()) try {
          check.rows = std::ssize(table_from_yaml(check.files.front().file).rows);
        } catch (const UserError& error) {
          check.files.front().problem = error.what();
        }
      checks.push_back(std::move(check));
    }
  }
  return checks;
}

}  // namespace fusetune

#include "harness/table/check_tables.hpp"

#include <algorithm>
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
  for (const fs::path& folder : sorted_entries(results_root))
    for (const fs::path& path : sorted_entries(folder)) {
      // Beside tables there may be anything; a header tells that a table was here.
      const std::string name = path.filename().string();
      if (!name.starts_with("fusetune_") || path.extension() != ".hpp") continue;
      TableCheck check;
      check.device = folder.filename().string();
      check.family = path.stem().string().substr(std::string("fusetune_").size());
      for (const fs::path& file : table_paths(results_root, check.device, check.family))
        check.files.push_back({file, problem_of(file)});
      if (check.files.front().problem.empty()) try {
          check.rows = std::ssize(table_from_yaml(check.files.front().file).rows);
        } catch (const UserError& error) {
          check.files.front().problem = error.what();
        }
      checks.push_back(std::move(check));
    }
  return checks;
}

}  // namespace fusetune

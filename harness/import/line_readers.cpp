// Kernel Launcher's wisdom, AITER's CSV and configuration headers: a record per line.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "harness/base/error.hpp"
#include "harness/import/import_readers.hpp"
#include "harness/import/named_variant.hpp"

namespace fusetune {

namespace {

constexpr double kUsPerWisdomUnit = 1000;  // its times are milliseconds

/// As Kernel Launcher's readers take them: nothing, or a remark.
bool is_remark(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  return begin == std::string_view::npos || line[begin] == '#' ||
         line.substr(begin).starts_with("//");
}

std::vector<std::string> wisdom_header(const TextLine& line, ImportedFile& file) {
  const PlacedJson header = parse_placed_json(line.text, file.name, line.number);
  if (const PlacedJson& version = header.at("version"); version.string() != "1.0")
    version.fail(fmt::format("wisdom of version 1.0 is known, not '{}'", version.string()));
  if (const PlacedJson& objective = header.at("objective"); objective.string() != "time")
    objective.fail("only wisdom of the objective 'time' holds times");
  file.kernel = header.at("key").string();
  std::vector<std::string> names;
  for (const auto& [none, name] : header.at("tunable_parameters").array())
    names.push_back(name.string());
  return names;
}

ImportedRecord wisdom_record(const TextLine& line, const std::vector<std::string>& names,
                             const ImportedFile& file) {
  const PlacedJson root = parse_placed_json(line.text, file.name, line.number);
  ImportedRecord record;
  record.line = line.number;
  const auto& values = root.at("config").array();
  if (values.size() != names.size())
    root.fail(fmt::format("{} values for {} parameters", values.size(), names.size()));
  record.configuration = Json::object();
  for (std::size_t i = 0; i < names.size(); ++i)
    record.configuration[names[i]] = parameter_of(values[i].value);
  const PlacedJson& size = root.at("problem_size");
  if (size.array().empty() || size.array().size() > 3) size.fail("a problem has 1 to 3 sizes");
  for (const auto& [none, one] : size.array()) (void)one.number();
  record.problem = size.json();
  record.time_us = time_us_of(root.at("time"), kUsPerWisdomUnit);
  record.device = root.at("environment").at("device_name").string();
  return record;
}

/// The cells of a line; a quoted one may hold commas, and two quotes stand for one.
std::vector<std::string> csv_cells(const TextLine& line, const std::string& file) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.text.size(); ++i) {
    const char c = line.text[i];
    const bool next_quotes = i + 1 < line.text.size() && line.text[i + 1] == '"';
    if (quoted && c == '"' && next_quotes) {
      cells.back() += '"';
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += c;
    }
  }
  if (quoted) throw UserError(Mark{file, line.number, 0}, "a quote is not closed");
  return cells;
}

/// A cell as JSON: a whole number where it is one, else its text.
Json cell_json(const std::string& cell) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  if (error == std::errc() && !cell.empty() && end == cell.data() + cell.size()) return number;
  return cell;
}

/// Where the columns are that the reader uses.
struct CsvColumns {
  std::vector<std::string> names;
  std::size_t first_result = 0;  ///< all before it is the key
  std::size_t us = 0;
  std::optional<std::size_t> kernel_name;
};

CsvColumns csv_columns(const TextLine& line, const std::string& file) {
  static const std::vector<std::string> kResults{"libtype", "kernelId", "solidx",
                                                 "splitK",  "us",       "kernelName"};
  CsvColumns columns;
  columns.names = csv_cells(line, file);
  const auto place = [&columns](const std::string& name) -> std::optional<std::size_t> {
    const auto found = std::find(columns.names.begin(), columns.names.end(), name);
    if (found == columns.names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - columns.names.begin());
  };
  const auto us = place("us");
  if (!us || !place("cu_num"))
    throw UserError(Mark{file, line.number, 0},
                    "the first line names the columns, cu_num and us among them");
  columns.us = *us;
  columns.kernel_name = place("kernelName");
  columns.first_result = columns.names.size();
  for (const std::string& name : kResults)
    if (const auto at = place(name)) columns.first_result = std::min(columns.first_result, *at);
  return columns;
}

ImportedRecord csv_record(const TextLine& line, const CsvColumns& columns,
                          const std::string& file) {
  const std::vector<std::string> cells = csv_cells(line, file);
  const Mark mark{file, line.number, 0};
  if (cells.size() != columns.names.size())
    throw UserError(mark,
                    fmt::format("{} cells under {} columns", cells.size(), columns.names.size()));
  ImportedRecord record;
  record.line = line.number;
  record.problem = Json::object();
  for (std::size_t i = 0; i < columns.first_result; ++i)
    record.problem[columns.names[i]] = cell_json(cells[i]);
  if (record.problem.contains("gfx") && record.problem["gfx"].is_string())
    record.device = record.problem["gfx"].get<std::string>();
  double us = 0;
  const std::string& text = cells[columns.us];
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), us);
  if (error != std::errc() || end != text.data() + text.size() || !(us > 0) || !std::isfinite(us))
    throw UserError(mark, fmt::format("'{}' is no time in us", text));
  record.time_us = us;
  record.configuration = Json::object();
  for (std::size_t i = columns.first_result; i < cells.size(); ++i)
    if (i != columns.us) record.configuration[columns.names[i]] = cell_json(cells[i]);
  if (!columns.kernel_name) return record;
  // A name of ours says its variant.
  const auto named = parse_kernel_name(cells[*columns.kernel_name]);
  if (!named) return record;
  record.implementation = named->implementation;
  record.configuration = Json::object();
  for (std::string_view rest = named->key; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos)
      throw UserError(mark, "a kernel's name has a part without '='");
    record.configuration[std::string(part.substr(0, equals))] =
        cell_json(std::string(part.substr(equals + 1)));
  }
  return record;
}

ImportedRecord header_record(const PlacedJson& config, const std::string& gpu) {
  ImportedRecord record;
  record.line = config.line;
  record.device = gpu;
  record.geometry = config.at("geometry").string();
  record.implementation = config.at("implementation").string();
  record.problem = Json::array({config.at("tuned_at").number()});
  record.configuration = parameters_of(config.at("config"));
  record.time_us = time_us_of(config.at("time_us"), 1);
  return record;
}

}  // namespace

void read_wisdom(std::string_view text, ImportedFile& file) {
  std::optional<std::vector<std::string>> names;
  for (const TextLine& line : lines_of(text)) {
    if (is_remark(line.text)) continue;
    if (!names)
      names = wisdom_header(line, file);
    else
      file.records.push_back(wisdom_record(line, *names, file));
  }
}

void read_aiter_csv(std::string_view text, ImportedFile& file) {
  std::optional<CsvColumns> columns;
  for (const TextLine& line : lines_of(text)) {
    if (line.text.empty()) continue;
    if (!columns)
      columns = csv_columns(line, file.name);
    else
      file.records.push_back(csv_record(line, *columns, file.name));
  }
}

void read_config_header(std::string_view text, ImportedFile& file) {
  constexpr std::string_view kTarget = "// TARGET: ", kConfig = "// CONFIG: ";
  std::optional<std::string> gpu;
  for (const TextLine& line : lines_of(text)) {
    const std::size_t begin = std::min(line.text.find_first_not_of(' '), line.text.size());
    const std::string_view rest = line.text.substr(begin);
    if (rest.starts_with(kTarget))
      gpu =
          parse_placed_json(rest.substr(kTarget.size()), file.name, line.number).at("gpu").string();
    if (!rest.starts_with(kConfig)) continue;
    if (!gpu) throw UserError(Mark{file.name, line.number, 0}, "no TARGET stands before it");
    file.records.push_back(header_record(
        parse_placed_json(rest.substr(kConfig.size()), file.name, line.number), *gpu));
  }
}

}  // namespace fusetune

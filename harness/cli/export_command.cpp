#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/run_session.hpp"
#include "harness/export/export_format.hpp"
#include "harness/import/candidates.hpp"
#include "harness/store/record_store.hpp"
#include "harness/table/check_tables.hpp"

namespace fusetune {

namespace {

constexpr std::size_t kRemarksShown = 8;
constexpr std::size_t kCandidatesMax = 1024;

void warn_of_damage(const std::string& message) {
  std::fputs(wrapped("warning: " + message, 2).c_str(), stderr);
}

std::vector<ObservedCase> cases_to_export(const GlobalOptions& global,
                                          const ExportSelection& selection, Export& remarks) {
  require_store(global);
  RecordStore store = RecordStore::open(global.engine.store, false);
  store.on_damage(warn_of_damage);
  return observed_cases(store.everything(), selection, remarks.left_out);
}

/// The row that answers a case; no other.
void keep_case(Table& table, const Case& which) {
  std::erase_if(table.rows, [&](const TableRow& row) {
    return row.geometry.key() != which.geometry.key() || which.rows() < row.rows_low ||
           which.rows() > row.rows_high;
  });
}

std::vector<Table> tables_to_export(const GlobalOptions& global, const ExportSelection& selection) {
  std::optional<Case> which;
  if (!selection.case_key.empty()) which = parse_case_key(selection.case_key);
  std::set<std::string> families, devices;
  std::vector<Table> tables;
  for (const TableCheck& check : check_tables(global.engine.results)) {
    // What is damaged is refused by its reader, with its place.
    families.insert(check.family);
    Table table = table_from_yaml(check.files.front().file);
    devices.insert(table.device);
    if (!selection.family.empty() && check.family != selection.family) continue;
    if (!selection.device.empty() && table.device != selection.device) continue;
    if (which) keep_case(table, *which);
    if (!table.rows.empty()) tables.push_back(std::move(table));
  }
  if (!tables.empty()) return tables;
  if (families.empty())
    throw UserError(fmt::format("there is no table in {}; fusetune tune SWEEP makes them",
                                global.engine.results.string()));
  if (!selection.family.empty() && families.count(selection.family) == 0)
    throw UserError(
        unknown_name("family with a table", selection.family, {families.begin(), families.end()}));
  if (!selection.device.empty() && devices.count(selection.device) == 0)
    throw UserError(
        unknown_name("device with a table", selection.device, {devices.begin(), devices.end()}));
  throw UserError("no table has a row of this case, family and device together");
}

/// Where each file goes: below a folder, or, of one alone, where --out has a file's name.
std::vector<std::filesystem::path> places_of(const Export& made, const std::filesystem::path& out) {
  std::vector<std::filesystem::path> places;
  const bool is_file = out.has_extension() && !std::filesystem::is_directory(out);
  if (is_file && made.files.size() != 1)
    throw UserError(fmt::format("the export has {}; give --out a folder, or choose with --case",
                                counted(std::ssize(made.files), "file")));
  for (const ExportFile& file : made.files)
    places.push_back(is_file ? out : out / std::filesystem::path(file.name));
  return places;
}

void print_remarks(const char* what, const std::vector<std::string>& remarks) {
  if (remarks.empty()) return;
  fmt::print("{}: {}\n", what, remarks.size());
  for (std::size_t i = 0; i < std::min(kRemarksShown, remarks.size()); ++i)
    fmt::print("{}", wrapped("  " + remarks[i], 4));
  if (remarks.size() > kRemarksShown) fmt::print("  ...; --json has them all\n");
}

Json candidates_json(const Candidates& candidates, const Family& family) {
  Json variants = Json::array();
  for (const Variant& variant : candidates.variants) variants.push_back(variant.key(family));
  return {{"variants", std::move(variants)}, {"strangers", candidates.strangers}};
}

void print_import(const ImportedFile& file) {
  const std::vector<const ImportedRecord*> timed = by_time(file);
  const auto failed = std::count_if(file.records.begin(), file.records.end(),
                                    [](const ImportedRecord& one) { return one.status != "ok"; });
  fmt::print("{}: {} of {}: {} with a time, {} that failed\n", file.name,
             counted(std::ssize(file.records), "record"), file.format, timed.size(), failed);
  fmt::print("{}", wrapped("These times are absolute and from elsewhere: no table and no verdict "
                           "takes them.",
                           2));
  for (std::size_t i = 0; i < std::min(kRemarksShown, timed.size()); ++i)
    fmt::print("{}",
               wrapped(fmt::format("  line {}: {:.4g} us  {}", timed[i]->line, *timed[i]->time_us,
                                   timed[i]->configuration.dump(-1, ' ', false,
                                                                Json::error_handler_t::replace)),
                       4));
  print_remarks("remarks", file.remarks);
}

}  // namespace

ExitCode export_command(const GlobalOptions& global, const ExportOptions& options) {
  const ExportFormat& format = find_export_format(options.format);
  const ExportSelection selection{options.family, options.device, options.case_key};
  Export remarks;
  Export made = format.source == ExportFormat::Source::records
                    ? format.of_cases(cases_to_export(global, selection, remarks))
                    : format.of_tables(tables_to_export(global, selection));
  made.left_out.insert(made.left_out.begin(), remarks.left_out.begin(), remarks.left_out.end());
  const std::vector<std::filesystem::path> places = places_of(made, options.out);
  for (std::size_t i = 0; i < places.size(); ++i) write_file_atomic(places[i], made.files[i].text);
  // An export without entries looks like one that worked.
  const ExitCode code = made.entries == 0 ? ExitCode::unusable : ExitCode::pass;
  if (global.json) {
    Json files = Json::array();
    for (const auto& place : places) files.push_back(place.string());
    fmt::print("{}\n", Json{{"format", options.format},
                            {"files", std::move(files)},
                            {"entries", made.entries},
                            {"left_out", made.left_out}}
                           .dump(2));
    return code;
  }
  for (const auto& place : places) fmt::print("  {}\n", place.string());
  fmt::print(
      "{}, {} as {}\n", counted(std::ssize(places), "file"),
      counted(made.entries, format.source == ExportFormat::Source::records ? "variant" : "row"),
      options.format);
  print_remarks("left out", made.left_out);
  return code;
}

ExitCode import_command(const GlobalOptions& global, const ImportOptions& options) {
  const ImportedFile file = import_file(options.format, options.file);
  Json document = to_json(file);
  if (options.sweep.empty() != options.case_key.empty())
    throw UserError("--case and --sweep belong together: the sweep races the variants on the case");
  std::string written;
  if (!options.sweep.empty()) {
    const Case which = parse_case_key(options.case_key);
    const auto most = static_cast<std::size_t>(options.top);
    const Candidates candidates =
        candidates_of(file, *which.geometry.family, std::min(most, kCandidatesMax));
    write_file_atomic(options.sweep, candidate_sweep(candidates, which, options.device, file));
    document["candidates"] = candidates_json(candidates, *which.geometry.family);
    document["sweep"] = options.sweep.string();
    written =
        fmt::format("{}: a sweep of {}; {} of other kernels or values left out\n",
                    options.sweep.string(), counted(std::ssize(candidates.variants), "variant"),
                    counted(candidates.strangers, "record"));
  }
  if (!options.out.empty()) {
    write_file_atomic(options.out,
                      document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    written += fmt::format("{}: the records in one form\n", options.out.string());
  }
  if (global.json) {
    fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
    return ExitCode::pass;
  }
  print_import(file);
  fmt::print("{}", written);
  return ExitCode::pass;
}

}  // namespace fusetune

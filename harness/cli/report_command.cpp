#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/cli/command_line.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/size_text.hpp"
#include "harness/report/changes.hpp"
#include "harness/report/gather.hpp"
#include "harness/report/page.hpp"
#include "harness/report/peers.hpp"
#include "harness/report/pictures.hpp"

namespace fusetune {

namespace fs = std::filesystem;

namespace {

constexpr const char* kDefaultPage = "report.html";

Report gathered(const GlobalOptions& global, const ReportOptions& options) {
  const EngineOptions& engine = global.engine;
  ReportSource source;
  read_store(engine.store, source);
  if (source.steps.empty())
    source.left_out.push_back(fmt::format(
        "the store {} holds no record: no races, failures or facts", engine.store.string()));
  read_results(engine.results, source);
  if (source.tables.empty())
    source.left_out.push_back(
        fmt::format("{} holds no table: the rows are those of the races", engine.results.string()));
  Report report = gather_report(source);
  if (report.empty())
    throw UserError(fmt::format(
        "nothing to report: neither a record in the store {} nor a table in {}; both are made by: "
        "{}",
        engine.store.string(), engine.results.string(), command_text(global, "tune SWEEP")));
  if (!options.against.empty())
    compare_reports(gather_report(read_either(options.against)), options.against.string(), report);
  if (!options.device.empty()) keep_device(options.device, report);
  if (!options.peers.empty()) add_peers(peers_from_file(options.peers), report);
  return report;
}

/// What was written, with its size in bytes.
struct WrittenFile {
  fs::path file;
  std::size_t bytes = 0;
};

WrittenFile write_out(const fs::path& file, const std::string& text) {
  write_file_atomic(file, text, Durability::process_kill);
  return {file, text.size()};
}

std::size_t rows_in(const Report& report) {
  std::size_t rows = 0;
  for (const ReportDevice& device : report.devices)
    for (const ReportGeometry& geometry : device.geometries) rows += geometry.rows.size();
  return rows;
}

std::size_t failures_in(const Report& report) {
  std::size_t failures = 0;
  for (const FailureClass& one : report.failures) failures += one.members.size();
  return failures;
}

void print_json(const Report& report, const std::vector<WrittenFile>& written) {
  Json files = Json::array(), devices = Json::array();
  for (const WrittenFile& one : written)
    files.push_back({{"file", one.file.string()}, {"bytes", one.bytes}});
  for (const ReportDevice& device : report.devices) devices.push_back(device.name);
  fmt::print("{}\n", Json{{"files", std::move(files)},
                          {"devices", std::move(devices)},
                          {"rows", rows_in(report)},
                          {"failures", failures_in(report)},
                          {"left_out", report.left_out}}
                         .dump(2));
}

void print_text(const Report& report, const std::vector<WrittenFile>& written) {
  fmt::print("{} on {}, {}\n", counted(static_cast<long long>(rows_in(report)), "row"),
             counted(std::ssize(report.devices), "device"),
             counted(static_cast<long long>(failures_in(report)), "failure"));
  for (const std::string& what : report.left_out) fmt::print("{}", wrapped("left out: " + what, 2));
  fmt::print("written:\n");
  for (const WrittenFile& one : written)
    fmt::print("  {} ({})\n", one.file.string(), size_text(static_cast<std::int64_t>(one.bytes)));
}

}  // namespace

ExitCode report_command(const GlobalOptions& global, const ReportOptions& options) {
  const Report report = gathered(global, options);
  const bool page = !options.out.empty() || options.svg.empty();
  std::vector<WrittenFile> written;
  if (page)
    written.push_back(
        write_out(options.out.empty() ? fs::path(kDefaultPage) : options.out, report_page(report)));
  if (!options.svg.empty())
    for (const auto& [name, picture] : all_pictures(report))
      written.push_back(write_out(options.svg / name, picture.file()));
  if (global.json)
    print_json(report, written);
  else
    print_text(report, written);
  return ExitCode::pass;
}

}  // namespace fusetune

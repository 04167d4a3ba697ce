#include "harness/report/source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <system_error>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/store/record_store.hpp"
#include "harness/table/check_tables.hpp"
#include "harness/tune/record_data.hpp"

namespace fusetune {

namespace fs = std::filesystem;

namespace {

bool has_records(const fs::path& store) { return fs::exists(store / "records.sqlite"); }

void read_calibrations(const fs::path& folder, ReportSource& source) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (it->path().extension() == ".json") files.push_back(it->path());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) try {
      const Json json = Json::parse(read_file(file));
      source.calibrations[file.stem().string()] = {json.at("conditions"),
                                                   calibration_from_json(json.at("calibration"))};
    } catch (const std::exception& damaged) {
      source.left_out.push_back(
          fmt::format("the limits in {} cannot be read: {}", file.string(), damaged.what()));
    }
}

}  // namespace

void read_store(const fs::path& store, ReportSource& source) {
  // The limits of a device serve tables that were made elsewhere, too.
  read_calibrations(store / "doctor", source);
  if (!has_records(store)) return;
  RecordStore records = RecordStore::open(store, false);
  records.on_damage([&source](const std::string& what) { source.left_out.push_back(what); });
  RecordSet set = records.everything();
  for (StepRecord& step : set.steps) try {
      check_record_data(step);
      source.steps.push_back(std::move(step));
    } catch (const std::exception& odd) {
      source.left_out.push_back(fmt::format("{} record of {} is not as this version writes it: {}",
                                            to_string(step.kind), step.subject, odd.what()));
    }
  std::move(set.campaigns.begin(), set.campaigns.end(), std::back_inserter(source.campaigns));
}

void read_results(const fs::path& results, ReportSource& source) {
  for (const TableCheck& check : check_tables(results)) {
    const TableFile& yaml = check.files.front();
    if (!yaml.problem.empty()) {
      source.left_out.push_back(
          fmt::format("the table {} is left out: {}", yaml.file.string(), yaml.problem));
      continue;
    }
    source.tables.push_back(table_from_yaml(yaml.file));
  }
}

ReportSource read_either(const fs::path& folder) {
  ReportSource source;
  read_store(folder, source);
  if (source.steps.empty()) read_results(folder, source);
  if (!source.empty()) return source;
  throw UserError(fmt::format(
      "{} holds neither records nor tables: give a store (it has records.sqlite) or a results "
      "folder (it has DEVICE/FAMILY.yaml)",
      folder.string()));
}

}  // namespace fusetune

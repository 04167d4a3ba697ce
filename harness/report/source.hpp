#pragma once
// Where a report comes from: a store, a results folder, or both.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/measure/calibration.hpp"
#include "harness/store/records.hpp"
#include "harness/table/table.hpp"

namespace fusetune {

/// What `fusetune doctor` kept of a device.
struct KeptCalibration {
  Json conditions;
  Calibration calibration;
};

struct ReportSource {
  std::vector<StepRecord> steps;  ///< the oldest first
  std::vector<CampaignRecord> campaigns;
  std::vector<Table> tables;
  std::map<std::string, KeptCalibration> calibrations;  ///< by device
  std::vector<std::string> left_out;                    ///< what could not be read, in sentences

  bool empty() const { return steps.empty() && tables.empty(); }
};

/// Adds the records and calibrations of a store; nothing where the folder holds none. Throws
/// UserError for a store that cannot be opened.
void read_store(const std::filesystem::path& store, ReportSource& source);

/// Adds the tables of a results folder, whole ones alone; nothing where it is missing.
void read_results(const std::filesystem::path& results, ReportSource& source);

/// A store or a results folder, whichever it is. Throws UserError where it is neither.
ReportSource read_either(const std::filesystem::path& folder);

}  // namespace fusetune

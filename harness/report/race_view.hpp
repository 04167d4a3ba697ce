#pragma once
// One recorded race, as a report shows it.

#include "harness/report/report_data.hpp"
#include "harness/store/records.hpp"

namespace fusetune {

/// A race with what was chosen from it alone, without regard to a table.
struct RaceView {
  std::string device;
  Geometry geometry;
  ReportCase shown;
  ReportRow row;         ///< as a table would have it, without code identity and proofs
  bool decided = false;  ///< `row` is one
};

/// From a record of kind race. Throws a std::exception with words where its names are not known
/// here.
RaceView race_view(const StepRecord& step);

/// Adds what a search timed in its batches and the race did not: `step` is of kind search, of the
/// same case. Its times are over the baseline's of their own batch, and are shown at that ratio.
void add_searched(const StepRecord& step, ReportCase& shown);

}  // namespace fusetune

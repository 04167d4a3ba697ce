#pragma once
// What a report says, as plain data: gathered by gather.hpp from records and tables, shown by
// page.hpp and figures.hpp.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/measure/calibration.hpp"
#include "harness/table/table.hpp"

namespace fusetune {

/// What a race says of one variant. An unknown time is NaN.
struct TimedVariant {
  enum class Standing {
    chosen,
    tied,      ///< cannot be told from the fastest
    slower,    ///< beyond noise
    dropped,   ///< by the first look: one span, no interval
    searched,  ///< tried by a search alone; its time is scaled by the baseline's
  };
  std::string key;
  bool is_baseline = false;
  Standing standing = Standing::slower;
  double us = 0, low_us = 0, high_us = 0;
  double over_best = 0;  ///< time over the fastest of the case
};

std::string_view to_string(TimedVariant::Standing standing);

/// Why a variant has no time.
struct VariantFate {
  Status status = Status::ok;
  std::string step;  ///< "compile", "proof" or "race"
  std::string message;
  std::string record;  ///< key of what says so
};

/// Variants that failed, by key.
using Fates = std::map<std::string, VariantFate>;

/// One race.
struct ReportCase {
  std::string key;    ///< pastes back
  std::string label;  ///< the key without what is at its default
  std::int64_t rows = 0;
  Outcome outcome;
  std::string record;  ///< key of the race
  std::string data;    ///< "cold" or "hot"
  std::string stopped_by;
  std::vector<std::string> flags;
  std::int64_t read_bytes = 0, write_bytes = 0;
  std::vector<TimedVariant> timed;  ///< the fastest first
  std::string chosen;               ///< variant key, "" where nothing was
  Fates fates;                      ///< in this race
};

/// A row of a table; of a race without a table where `rows_low` and `rows_high` are `tuned_at`.
struct ReportRow {
  std::int64_t rows_low = 0, rows_high = 0, tuned_at = 0;
  std::string variant;
  bool is_default = false;
  bool in_table = true;
  Certificate certificate;
  std::string code_identity, source_hash;
  Provenance provenance;
  std::int64_t read_bytes = 0, write_bytes = 0;  ///< of the case; 0 where that is not known

  double baseline_us() const { return certificate.median_us * certificate.versus_baseline; }
  /// Compulsory bytes over the median time.
  double gb_s() const;
  double read_share() const;
};

/// A figure of another program for one case.
struct PeerTime {
  std::string peer;
  std::int64_t rows = 0;
  double us = 0;
};

/// One geometry on one device.
struct ReportGeometry {
  std::string family, key, label;
  std::string rows_symbol;  ///< what counts rows: "tokens"
  std::string baseline;     ///< name of the implementation that rows are compared with
  std::vector<std::string> axes;
  std::vector<ReportRow> rows;     ///< by tuned_at
  std::vector<ReportCase> cases;   ///< by rows; empty where the store holds no race of it
  Fates fates;                     ///< before the races, on the device's target
  std::vector<std::string> sound;  ///< variants that were proved there
  std::vector<PeerTime> peers;
};

/// What a device's memory and launches can do, as fusetune doctor measured it.
struct DeviceLimits {
  Calibration calibration;
  bool same_conditions = true;  ///< as the races' own

  /// Of this mix and size on cold data, between the measured ones by the logarithm of the size; 0
  /// unknown.
  double gb_s(double read_share, std::int64_t bytes) const;
  /// The least time of a case: its bytes at that rate, or an empty launch.
  double least_us(const ReportRow& row) const;
};

struct RowChange {
  enum class Kind { same, other_variant, only_here, only_there } kind = Kind::same;
  std::string family, label;
  std::int64_t tuned_at = 0;
  std::string variant_here, variant_there;
  double us_here = 0, us_there = 0;
  bool apart = false;  ///< the two 95 % intervals of the times share nothing
};

struct Changes {
  std::string against;  ///< folder
  bool same_conditions = true;
  std::vector<RowChange> rows;  ///< what changed first
};

struct ReportDevice {
  std::string name, target;
  Json conditions;
  std::vector<ReportGeometry> geometries;  ///< by family and key
  std::optional<DeviceLimits> limits;
  std::optional<Changes> changes;
};

/// Failures of one status and target.
struct FailureClass {
  Status status = Status::ok;
  std::string target;
  struct Member {
    std::string subject;  ///< case or geometry, as a label
    std::string variant;  ///< "" where no single variant is to blame
    std::string step, message, record;
  };
  std::vector<Member> members;
};

/// What a target's compiler made of a family.
/// One kernel of one variant.
struct FactsRow {
  std::string geometry;  ///< label
  std::string variant;
  bool chosen = false;  ///< by a row of a device of this target
  KernelFacts kernel;
};
struct TargetFacts {
  std::string target, family, compiler;
  std::vector<FactsRow> rows;
};

struct ReportCounts {
  std::int64_t compiled = 0, proved = 0, proof_comparisons = 0, raced = 0;
};

struct Report {
  std::vector<ReportDevice> devices;
  std::vector<FailureClass> failures;  ///< the largest first
  std::vector<TargetFacts> facts;
  ReportCounts counts;
  std::vector<std::string> sweeps, versions;
  std::string as_of;  ///< UTC of the newest record, "" without records
  /// What could not be shown, in sentences; never silent.
  std::vector<std::string> left_out;

  /// Nothing to say at all.
  bool empty() const { return devices.empty() && failures.empty() && facts.empty(); }
};

}  // namespace fusetune

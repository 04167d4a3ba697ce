#include "harness/report/gather.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <map>
#include <set>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/report/build_steps.hpp"
#include "harness/report/race_view.hpp"
#include "harness/spec/short_key.hpp"

namespace fusetune {

namespace {

class Gatherer {
 public:
  Report take(const ReportSource& source) {
    report_.left_out = source.left_out;
    for (const Table& table : source.tables) add_table(table);
    for (const StepRecord& step : source.steps) add_guarded(step);
    for (const auto& [key, view] : newest_) add_race(view);
    for (const StepRecord* step : searches_) add_search(*step);
    finish_devices(source);
    report_.failures = builds_.failures(report_.devices);
    report_.facts = builds_.facts(report_.devices);
    report_.counts.compiled = builds_.compiled;
    report_.counts.proved = builds_.proved;
    report_.counts.proof_comparisons = builds_.comparisons;
    say_left_out();
    return std::move(report_);
  }

 private:
  void add_guarded(const StepRecord& step) {
    report_.as_of = std::max(report_.as_of, step.finished);
    try {
      add_step(step);
    } catch (const std::exception& error) {
      ++unknown_[error.what()];
    }
  }

  void add_step(const StepRecord& step) {
    switch (step.kind) {
      case StepRecord::Kind::compile:
        builds_.add_compilation(step);
        break;
      case StepRecord::Kind::proof:
        builds_.add_proof(step);
        break;
      case StepRecord::Kind::race: {
        RaceView view = race_view(step);
        note_provenance(step);
        ++report_.counts.raced;
        const auto key = std::pair(view.device, view.shown.key);
        if (newest_.count(key) != 0) ++older_races_;
        newest_.insert_or_assign(key, std::move(view));
        break;
      }
      case StepRecord::Kind::search:
        searches_.push_back(&step);
        break;
      case StepRecord::Kind::traffic:
        break;  // what it decides is in the races' choices
    }
  }

  ReportDevice& device(const std::string& name) {
    ReportDevice& one = devices_[name];
    one.name = name;
    return one;
  }

  ReportGeometry& geometry_on(const std::string& name, const Geometry& geometry) {
    const auto [at, is_new] = geometries_.try_emplace({name, geometry.key()});
    ReportGeometry& one = at->second;
    if (!is_new) return one;
    const Family& family = *geometry.family;
    one.family = family.name;
    one.key = geometry.key();
    one.label = short_key(geometry);
    one.rows_symbol = family.rows;
    one.baseline = family.baseline;
    for (const AxisDecl& axis : family.axes) one.axes.push_back(axis.name);
    return one;
  }

  void add_table(const Table& table) {
    ReportDevice& its = device(table.device);
    its.target = table.target.name;
    for (const TableRow& row : table.rows) {
      ReportRow one;
      one.rows_low = row.rows_low;
      one.rows_high = row.rows_high;
      one.tuned_at = row.tuned_at;
      one.variant = row.variant.key(*table.family);
      one.is_default = row.is_default;
      one.certificate = row.certificate;
      one.code_identity = row.code_identity;
      one.source_hash = row.source_hash;
      one.provenance = row.provenance;
      set_bytes(row, one);
      its.conditions = row.provenance.conditions;
      note_sweep(row.provenance.sweep, row.provenance.harness_version);
      geometry_on(table.device, row.geometry).rows.push_back(std::move(one));
    }
  }

  /// Of the case with this row count and everything else at its default; where there is none, the
  /// bytes stay unknown unless a race tells them.
  static void set_bytes(const TableRow& row, ReportRow& one) {
    const std::string key = row.geometry.key();
    const std::string inner = key.ends_with("()") ? "" : ",";
    try {
      const Traffic traffic =
          traffic_of(parse_case_key(fmt::format("{}{}{}={})", key.substr(0, key.size() - 1), inner,
                                                row.geometry.family->rows, row.tuned_at)));
      one.read_bytes = traffic.read_bytes;
      one.write_bytes = traffic.write_bytes;
    } catch (const UserError&) {  // a runtime symbol without a default
    } catch (const EvalError&) {
    }
  }

  void add_race(const RaceView& view) {
    ReportDevice& its = device(view.device);
    ReportGeometry& geometry = geometry_on(view.device, view.geometry);
    ReportCase shown = view.shown;
    const auto row = std::find_if(
        geometry.rows.begin(), geometry.rows.end(),
        [&shown](const ReportRow& one) { return one.tuned_at == shown.rows && one.in_table; });
    if (row != geometry.rows.end()) {
      row->read_bytes = shown.read_bytes;
      row->write_bytes = shown.write_bytes;
      take_choice(*row, shown);
    } else if (view.decided) {
      its.conditions = view.row.provenance.conditions;
      geometry.rows.push_back(view.row);
    }
    geometry.cases.push_back(std::move(shown));
  }

  /// The table's choice, which knew of incumbents and of other row counts, in place of the race's
  /// own.
  static void take_choice(const ReportRow& row, ReportCase& shown) {
    const auto chosen =
        std::find_if(shown.timed.begin(), shown.timed.end(),
                     [&row](const TimedVariant& one) { return one.key == row.variant; });
    if (chosen == shown.timed.end()) return;
    for (TimedVariant& one : shown.timed)
      if (one.standing == TimedVariant::Standing::chosen && one.key != row.variant)
        one.standing = TimedVariant::Standing::tied;
    chosen->standing = TimedVariant::Standing::chosen;
    shown.chosen = row.variant;
  }

  void add_search(const StepRecord& step) {
    const std::size_t bar = step.subject.rfind(" | ");
    const std::string name = step.subject.substr(bar + 3), key = step.subject.substr(0, bar);
    for (auto& [where, geometry] : geometries_)
      if (where.first == name)
        for (ReportCase& shown : geometry.cases)
          if (shown.key == key) try {
              add_searched(step, shown);
            } catch (const std::exception& error) {
              ++unknown_[error.what()];
            }
  }

  void note_provenance(const StepRecord& step) {
    const Json& provenance = step.data.at("provenance");
    note_sweep(provenance.at("sweep"), provenance.at("harness_version"));
  }
  void note_sweep(const std::string& sweep, const std::string& version) {
    const auto add = [](const std::string& name, std::vector<std::string>& list) {
      if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(name);
    };
    add(sweep, report_.sweeps);
    add(version, report_.versions);
  }

  /// What a device without a table is of: its own name where that is a target's, else the one
  /// target of the proofs of what it raced.
  std::string target_of(const ReportDevice& its) const {
    if (!its.target.empty()) return its.target;
    try {
      return parse_target(its.name).name;
    } catch (const UserError&) {  // a GPU by its name
    }
    for (const auto& [where, geometry] : geometries_) {
      if (where.first != its.name) continue;
      for (const std::string& target : builds_.targets_of(where.second))
        if (parse_target(target).platform != Platform::host) return target;
    }
    return "";
  }

  void finish_devices(const ReportSource& source) {
    for (auto& [name, its] : devices_) {
      its.target = target_of(its);
      for (auto& [where, geometry] : geometries_) {
        if (where.first != name) continue;
        if (const BuiltGeometry* built = builds_.find(geometry.key, its.target)) {
          geometry.fates = built->fates;
          for (const std::string& variant : built->sound)
            if (geometry.fates.count(variant) == 0) geometry.sound.push_back(variant);
        }
        sort_geometry(geometry);
        its.geometries.push_back(std::move(geometry));
      }
      const auto kept = source.calibrations.find(name);
      if (kept != source.calibrations.end() && kept->second.calibration.outcome.ok())
        its.limits =
            DeviceLimits{kept->second.calibration, kept->second.conditions == its.conditions};
      report_.devices.push_back(std::move(its));
    }
  }

  static void sort_geometry(ReportGeometry& geometry) {
    std::stable_sort(
        geometry.rows.begin(), geometry.rows.end(),
        [](const ReportRow& a, const ReportRow& b) { return a.tuned_at < b.tuned_at; });
    std::stable_sort(geometry.cases.begin(), geometry.cases.end(),
                     [](const ReportCase& a, const ReportCase& b) { return a.rows < b.rows; });
  }

  void say_left_out() {
    if (older_races_ > 0)
      report_.left_out.push_back(fmt::format(
          "{} races are not shown: newer ones of the same cases are there", older_races_));
    for (const auto& [why, count] : unknown_)
      report_.left_out.push_back(fmt::format("{} records are not shown: {}", count, why));
  }

  Report report_;
  BuildSteps builds_;
  std::map<std::pair<std::string, std::string>, RaceView> newest_;  // device, case key
  std::vector<const StepRecord*> searches_;
  std::map<std::string, ReportDevice> devices_;
  std::map<std::pair<std::string, std::string>, ReportGeometry> geometries_;  // device, key
  std::map<std::string, std::int64_t> unknown_;                               // records by why
  std::int64_t older_races_ = 0;
};

}  // namespace

Report gather_report(const ReportSource& source) { return Gatherer().take(source); }

void keep_device(const std::string& device, Report& report) {
  std::vector<std::string> names;
  std::set<std::string> others;
  std::string target;
  for (const ReportDevice& one : report.devices) {
    names.push_back(one.name);
    if (one.name == device)
      target = one.target;
    else
      others.insert(one.target);
  }
  if (std::find(names.begin(), names.end(), device) == names.end())
    throw UserError(unknown_name("device of this report", device, names));
  others.erase(target);
  std::erase_if(report.devices, [&device](const ReportDevice& one) { return one.name != device; });
  std::erase_if(report.failures,
                [&others](const FailureClass& one) { return others.count(one.target) != 0; });
  std::erase_if(report.facts,
                [&others](const TargetFacts& one) { return others.count(one.target) != 0; });
}

}  // namespace fusetune

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "harness/base/error.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/interrupt.hpp"
#include "harness/cli/run_session.hpp"
#include "harness/cli/selection.hpp"
#include "harness/cli/summary.hpp"
#include "harness/tune/golden_stage.hpp"

namespace fusetune {

namespace {

std::int64_t elements_of(const GoldenVerdict& verdict) {
  std::int64_t elements = 0;
  for (const CheckCount& check : verdict.checks)
    if (check.name == "exact" || check.name == "values") elements += check.comparisons;
  return elements;
}

std::string totals_text(const GoldenSummary& summary) {
  std::int64_t agree = 0, variants = 0, elements = 0, truths = 0;
  for (const GoldenVerdict& verdict : summary.verdicts) {
    agree += verdict.passed() ? 1 : 0;
    variants += verdict.variants;
    truths += verdict.is_truth ? 1 : 0;
    elements += elements_of(verdict);
  }
  std::string text = fmt::format(
      "{} of {} agree, {} runs of variants, {} elements", agree,
      counted(static_cast<std::int64_t>(summary.verdicts.size()), "case"), variants, elements);
  if (summary.lenders != 0)
    text += fmt::format("; {} of inputs alone", counted(summary.lenders, "record"));
  if (truths != 0)
    text += fmt::format("; no reference compared in {}: the captured vectors are the truth",
                        counted(truths, "case"));
  return text;
}

std::string verdicts_text(const GoldenSummary& summary) {
  std::string out;
  for (const GoldenVerdict& verdict : summary.verdicts) {
    const char* agrees = verdict.reference.ok() ? "agrees" : "DIFFERS";
    if (verdict.has_variants)
      out += fmt::format("{:8} {}, {} of {} agree, {} elements\n  {}\n", verdict.name,
                         verdict.is_truth ? "no reference" : fmt::format("reference {}", agrees),
                         verdict.variants - verdict.failed, counted(verdict.variants, "variant"),
                         elements_of(verdict), verdict.case_key);
    else
      out += fmt::format("{:8} {} {}, {} elements\n", verdict.name, verdict.case_key, agrees,
                         elements_of(verdict));
  }
  return out;
}

Json summary_json(const std::string& file, const std::string& device,
                  const GoldenSummary& summary) {
  Json cases = Json::array();
  for (const GoldenVerdict& verdict : summary.verdicts)
    cases.push_back(
        {{"name", verdict.name},
         {"case", verdict.case_key},
         {"reference",
          verdict.is_truth ? "captured" : std::string(to_string(verdict.reference.status))},
         {"variants", verdict.variants},
         {"failed", verdict.failed},
         {"failures", verdict.failures},
         {"passed", verdict.passed()}});
  return Json{{"file", file},
              {"device", device},
              {"interrupted", summary.interrupted},
              {"cases", std::move(cases)},
              {"unmapped", summary.unmapped}};
}

void print_failures(const GoldenSummary& summary) {
  for (const GoldenVerdict& verdict : summary.verdicts) {
    if (!verdict.reference.ok())
      fmt::print("{}", wrapped(fmt::format("{}: the reference differs from the file: {}",
                                           verdict.name, verdict.reference.message),
                               4));
    for (const std::string& failure : verdict.failures)
      fmt::print("{}", wrapped(fmt::format("{}: {}", verdict.name, failure), 4));
  }
  if (!summary.unmapped.empty())
    fmt::print("{}",
               wrapped(fmt::format("not compared, no family maps them: {} (first: {})",
                                   counted(static_cast<long long>(summary.unmapped.size()), "case"),
                                   summary.unmapped.front()),
                       2));
}

/// All files on all devices; what is wrong with one of them does not keep the others from being
/// compared.
class GoldenRun {
 public:
  GoldenRun(const GlobalOptions& global, const GoldenOptions& options)
      : global_(global), options_(options), run_(global, "golden") {}

  ExitCode run() {
    GoldenChoice choice{parse_space(options_.space), {options_.only.begin(), options_.only.end()}};
    for (const std::string& device : devices_or_both(options_.devices)) {
      for (const auto& file : options_.files)
        if (!interrupted()) compare(file, choice, device);
      choice.tables = false;
    }
    if (!interrupted()) require_names();
    finish();
    return worst_;
  }

 private:
  void compare(const std::filesystem::path& file, const GoldenChoice& choice,
               const std::string& device) {
    try {
      const GoldenSummary summary = verify_golden(file, choice, device, run_.session());
      names_.insert(summary.names.begin(), summary.names.end());
      count(summary);
      if (global_.json) {
        documents_.push_back(summary_json(file.string(), device, summary));
        return;
      }
      fmt::print(
          "{}",
          wrapped(fmt::format("{} on {}, space {}", file.string(), device, options_.space), 2));
      if (options_.cases) fmt::print("{}", verdicts_text(summary));
      fmt::print("{}", wrapped(totals_text(summary), 2));
      print_failures(summary);
    } catch (const UserError& error) {
      worst_ = worst_of(worst_, ExitCode::usage);
      documents_.push_back({{"file", file.string()},
                            {"device", device},
                            {"interrupted", false},
                            {"cases", Json::array()},
                            {"error", error.what()}});
      // The same file has the same fault on every device.
      if (std::find(errors_.begin(), errors_.end(), error.what()) == errors_.end())
        errors_.emplace_back(error.what());
    }
  }

  void count(const GoldenSummary& summary) {
    for (const GoldenVerdict& verdict : summary.verdicts) {
      ++all_;
      if (verdict.passed())
        ++good_;
      else if (!summary.interrupted)
        worst_ = worst_of(worst_, ExitCode::verification_failed);
    }
    all_ += summary.chosen_unmapped;
    if (summary.chosen_unmapped != 0) worst_ = worst_of(worst_, ExitCode::verification_failed);
  }

  /// Every case that was asked for is in some file.
  void require_names() {
    if (!errors_.empty()) return;  // in that one, for all we know
    for (const std::string& name : options_.only) {
      if (names_.count(name) != 0) continue;
      worst_ = worst_of(worst_, ExitCode::usage);
      errors_.push_back(unknown_name("golden case", name, {names_.begin(), names_.end()}));
    }
  }

  void finish() {
    if (interrupted()) worst_ = ExitCode::interrupted;
    if (global_.json) {
      if (interrupted() && (documents_.empty() || !documents_.back()["interrupted"].get<bool>()))
        documents_.push_back({{"interrupted", true}});
      fmt::print("{}\n", documents_.dump(2));
    } else {
      fmt::print("{} of {} agree: bytes are equal, computed outputs within their rules\n", good_,
                 counted(all_, "case"));
      if (interrupted()) fmt::print("interrupted: the rest was not compared\n");
    }
    for (const std::string& error : errors_)
      fmt::print(stderr, "{}", wrapped("error: " + error, 2));
    if (all_ == 0 && errors_.empty()) worst_ = worst_of(worst_, ExitCode::verification_failed);
  }

  const GlobalOptions& global_;
  const GoldenOptions& options_;
  RunSession run_;
  ExitCode worst_ = ExitCode::pass;
  long long all_ = 0;
  long long good_ = 0;
  Json documents_ = Json::array();
  std::set<std::string> names_;  ///< of the cases in all files
  std::vector<std::string> errors_;
};

}  // namespace

ExitCode golden_command(const GlobalOptions& global, const GoldenOptions& options) {
  return GoldenRun(global, options).run();
}

}  // namespace fusetune

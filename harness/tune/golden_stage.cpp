#include "harness/tune/golden_stage.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/error.hpp"
#include "harness/tune/case_plan.hpp"
#include "harness/tune/lost_worker.hpp"
#include "harness/verify/golden_codecs.hpp"
#include "reference/reference.hpp"

namespace fusetune {

namespace {

struct MappedCase {
  GoldenCase golden;
  Case which;
};

GoldenVerdict codec_verdict(const GoldenCase& golden) {
  const ProofReport report = compare_codecs_with_golden(golden);
  GoldenVerdict verdict;
  verdict.name = golden.name;
  verdict.case_key = "codec of " + golden.params.value("dtype", "");
  verdict.source = golden.source;
  verdict.reference = report.outcome;
  verdict.checks = report.checks;
  verdict.has_variants = false;
  return verdict;
}

/// What needs no kernel goes into `summary` at once.
std::vector<MappedCase> map_cases(const std::filesystem::path& file, const GoldenChoice& choice,
                                  GoldenSummary& summary) {
  std::vector<MappedCase> mapped;
  std::vector<std::shared_ptr<const Family>> families;
  for (const std::string& name : family_names()) families.push_back(find_family(name));
  for (GoldenCase& golden : read_golden(file)) {
    summary.names.push_back(golden.name);
    const bool chosen = choice.takes(golden.name);
    const bool casts = is_cast_table(golden);
    const auto family = std::find_if(families.begin(), families.end(), [&golden](const auto& one) {
      return maps_golden(*one, golden);
    });
    const bool has_family = family != families.end();
    // Who lends inputs to others and is a case of no family has nothing to compare.
    if (!has_family && !casts && !golden.lends) {
      summary.unmapped.push_back(fmt::format("{} ({})", golden.name, golden.family));
      if (chosen) ++summary.chosen_unmapped;
    }
    if (!chosen) continue;
    if (!has_family && !casts && golden.lends) ++summary.lenders;
    if (casts && choice.tables) summary.verdicts.push_back(codec_verdict(golden));
    if (has_family) {
      Case which = case_of_golden(*family, golden);
      mapped.push_back({std::move(golden), std::move(which)});
    }
  }
  return mapped;
}

class GoldenStage {
 public:
  GoldenStage(const std::filesystem::path& file, const GoldenChoice& choice,
              const std::string& device, Session& session)
      : file_(file), choice_(choice), device_(device), session_(session) {}

  GoldenSummary run() {
    mapped_ = map_cases(file_, choice_, summary_);
    if (mapped_.empty()) return std::move(summary_);
    std::vector<Case> cases;
    for (const MappedCase& mapped : mapped_) cases.push_back(mapped.which);
    const Plan plan = plan_of_cases(cases, choice_.space, device_);
    const CompileSummary compiled = compile_plan(plan, session_, false);
    summary_.compiled = compiled.compiled;
    first_ = summary_.verdicts.size();
    for (const MappedCase& mapped : mapped_) summary_.verdicts.push_back(against_reference(mapped));
    submit_all(plan, compiled);
    summary_.interrupted = session_.stop();
    return std::move(summary_);
  }

 private:
  static GoldenVerdict against_reference(const MappedCase& mapped) {
    GoldenVerdict verdict;
    verdict.name = mapped.golden.name;
    verdict.case_key = mapped.which.key();
    verdict.source = mapped.golden.source;
    if (mapped.which.geometry.family->has_captured_truth()) {
      require_golden_fits(mapped.which, mapped.golden);
      verdict.is_truth = true;
      return verdict;
    }
    const reference::Reference* reference =
        reference::find(mapped.which.geometry.family->reference);
    if (reference == nullptr) {
      verdict.reference = {Status::verification_failed, "the family has no reference"};
      return verdict;
    }
    verdict.reference =
        compare_reference_with_golden(*reference, mapped.which, mapped.golden).outcome;
    return verdict;
  }

  void submit_all(const Plan& plan, const CompileSummary& compiled) {
    std::vector<Job> jobs;
    for (std::size_t i = 0; i < mapped_.size(); ++i)
      for (const CompiledUnit& unit : compiled.units) {
        const PlannedGeometry& geometry = plan.geometries[unit.geometry];
        if (geometry.geometry.key() != mapped_[i].which.geometry.key()) continue;
        jobs.push_back(job_for(i, unit, geometry.variants[unit.variant]));
      }
    session_.progress.begin("golden", static_cast<std::int64_t>(jobs.size()), 0);
    WorkerPool pool(worker_role("device", job_count(session_.options)));
    for (Job& job : jobs) pool.submit(std::move(job));
    pool.run(session_.stop, [this] { session_.progress.tick(); });
    session_.progress.end("golden");
  }

  Job job_for(std::size_t index, const CompiledUnit& unit, const Variant& variant) {
    const std::string key = variant.key(*mapped_[index].which.geometry.family);
    Job job;
    job.request = Json{{"op", "golden"},
                       {"device", device_},
                       {"file", file_.string()},
                       {"name", mapped_[index].golden.name},
                       {"code", unit.code.code_path.string()},
                       {"variant", to_json(variant)},
                       {"seed", session_.options.seed}};
    job.limit = kernel_limit(session_.options);
    job.second_try = true;
    job.done = [this, index, key, compiled = unit.code.outcome](const JobEnd& end) {
      if (end.how == JobEnd::How::cancelled) return;
      record(summary_.verdicts[first_ + index], key, compiled, end);
    };
    return job;
  }

  void record(GoldenVerdict& verdict, const std::string& variant_key, const Outcome& compiled,
              const JobEnd& end) {
    ++verdict.variants;
    Outcome outcome = compiled;
    if (compiled.ok()) {
      if (end.how != JobEnd::How::answered) {
        outcome = outcome_of_lost(end);
      } else if (end.answer.contains("error")) {
        outcome = {Status::launch_error, end.answer["error"].get<std::string>()};
      } else {
        const ProofReport report = proof_from_json(end.answer);
        outcome = report.outcome;
        add_checks(verdict.checks, report.checks);
      }
    }
    if (!outcome.ok()) {
      ++verdict.failed;
      if (verdict.failures.size() < 4)
        verdict.failures.push_back(
            fmt::format("{}: {}: {}", variant_key, to_string(outcome.status), outcome.message));
    }
    session_.progress.advance("golden", outcome.ok() ? StepEnd::done : StepEnd::failed);
  }

  std::filesystem::path file_;
  GoldenChoice choice_;
  std::string device_;
  Session& session_;
  std::vector<MappedCase> mapped_;
  GoldenSummary summary_;
  std::size_t first_ = 0;  ///< verdict of mapped_
};

}  // namespace

GoldenSummary verify_golden(const std::filesystem::path& file, const GoldenChoice& choice,
                            const std::string& device, Session& session) {
  return GoldenStage(file, choice, device, session).run();
}

Json handle_golden_request(Device& device, const Json& request) {
  const std::filesystem::path file = request.at("file").get<std::string>();
  const GoldenCase golden = read_golden_case(file, request.at("name").get<std::string>());
  for (const std::string& family_name : family_names()) {
    const std::shared_ptr<const Family> family = find_family(family_name);
    if (!maps_golden(*family, golden)) continue;
    const Case which = case_of_golden(family, golden);
    Outcome outcome;
    const std::unique_ptr<LoadedCode> code =
        device.load(request.at("code").get<std::string>(), &outcome);
    if (!code) {
      ProofReport report;
      report.outcome = outcome;
      return to_json(report);
    }
    RunnableVariant runnable{code.get(),
                             launches_of(which, variant_from_json(request.at("variant")),
                                         device.properties().target, device.properties().facts)};
    ProofOptions options;
    options.seed = request.at("seed").get<std::uint64_t>();
    options.thorough = false;
    const ProofReport report = prove_golden(device, runnable, which, golden, options);
    Json answer = to_json(report);
    // What comes next must not be blamed for a device that takes nothing more.
    answer["retire"] = report.failed_check == "launch";
    return answer;
  }
  throw UserError(fmt::format("{}: no family takes case '{}'", file.string(), golden.name));
}

}  // namespace fusetune

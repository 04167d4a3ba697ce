#include "harness/selftest/selftest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "harness/base/error.hpp"
#include "harness/selftest/mutant_proof.hpp"
#include "harness/tune/compile_stage.hpp"
#include "harness/tune/scratch_store.hpp"
#include "harness/tune/tool_code.hpp"
#include "harness/verify/proof.hpp"

namespace fusetune {

namespace {

bool kills(const Expectation& expected, const ProofReport& report) {
  return std::any_of(expected.killers.begin(), expected.killers.end(), [&](const Killer& killer) {
    return killer.check == report.failed_check &&
           (!killer.status || *killer.status == report.outcome.status);
  });
}

/// One code object to compile and what to prove with it.
struct Trial {
  const Mutant* mutant = nullptr;  ///< whose case and variant
  ProofMode mode = ProofMode::exact;
  bool planted = false;  ///< or the shipped kernel
  std::string key;
  std::string shipped_key;  ///< of the kernel without the bug
  std::string code_path;
  Outcome compiled;
};

/// What one proof is run with.
struct Run {
  std::uint64_t seed = 1;
  std::set<std::string> off;
};

class Selftest {
 public:
  Selftest(const MutantFile& file, const SelftestChoice& choice, Session& session,
           WorkerPool& workers)
      : file_(file),
        choice_(choice),
        target_(target_for(choice.device)),
        session_(session),
        workers_(workers),
        compilers_(compile_workers(session.options)) {
    summary_.family = file.family;
    summary_.device = choice.device;
  }

  SelftestSummary run() {
    compile_all();
    if (!session_.stop()) prove_all();
    const bool asks = target_.platform == Platform::host && choice_.without.empty();
    if (!session_.stop() && asks) prove_without_killers();
    summary_.interrupted = session_.stop();
    std::sort(summary_.mutants.begin(), summary_.mutants.end(),
              [](const MutantVerdict& a, const MutantVerdict& b) {
                return std::pair(a.name, a.mode) < std::pair(b.name, b.mode);
              });
    std::sort(summary_.false_alarms.begin(), summary_.false_alarms.end());
    return std::move(summary_);
  }

 private:
  void compile_all() {
    std::string why;
    identity_ = compiler_identity(target_, &why);
    if (identity_.empty()) throw UserError(why);
    EngineOptions of_scratch = session_.options;
    of_scratch.store = scratch_.store().root();
    digest_code_ = digest_code_path(target_, of_scratch);
    for (const Mutant& mutant : file_.mutants) {
      const bool is_bug = mutant.is_bug_on(target_);
      if (!is_bug && target_.platform == Platform::host) continue;  // the other wave size has it
      for (const ProofMode mode : choice_.modes) {
        if (!is_bug) add_out_of_reach(mutant, mode, mutant.expectation(mode, target_).out_of_reach);
        if (is_bug) add_trials(mutant, mode);
      }
    }
    run(compilers_, "compile", std::ssize(trials_));
  }

  /// With the bug, and without.
  void add_trials(const Mutant& mutant, ProofMode mode) {
    const CompileRequest shipped = make_compile_request(mutant.which.geometry, mutant.variant,
                                                        target_, mode == ProofMode::exact);
    CompileRequest planted = shipped;
    apply(mutant, planted);
    const std::string shipped_key = shipped.key(identity_);
    add_trial({&mutant, mode, true, planted.key(identity_), shipped_key, "", {}}, planted);
    // Mutants of one case share the shipped kernel.
    const bool batches = mutant.batch_invariant(mode);
    if (shipped_.insert(shipped_key + mutant.which.key() + (batches ? "b" : "")).second)
      add_trial({&mutant, mode, false, shipped_key, shipped_key, "", {}}, shipped);
  }

  void add_trial(Trial added, const CompileRequest& request) {
    const std::string key = added.key;
    Trial& trial = trials_.emplace_back(std::move(added));
    const auto [first, is_new] = compiled_.try_emplace(key);
    first->second.push_back(&trial);
    if (!is_new) return;
    Job job;
    job.request = Json{{"op", "compile"},
                       {"store", scratch_.store().root().string()},
                       {"key", key},
                       {"request", to_json(request)}};
    job.limit = std::chrono::milliseconds(
        static_cast<std::int64_t>(session_.options.compile_timeout_s * 1000));
    job.done = [this, key](const JobEnd& end) { finish_compile(key, end); };
    compilers_.submit(std::move(job));
  }

  void finish_compile(const std::string& key, const JobEnd& end) {
    if (end.how == JobEnd::How::cancelled) return;
    if (end.answer.contains("error")) throw UserError(end.answer["error"].get<std::string>());
    const std::optional<StoredCode> stored = scratch_.store().find(key);
    Outcome outcome{Status::compiler_crash, "no code object"};
    if (end.how == JobEnd::How::timed_out)
      outcome = {Status::compile_timeout, fmt::format("the compiler did not end within {} s",
                                                      session_.options.compile_timeout_s)};
    else if (stored)
      outcome = stored->outcome;
    if (stored) identities_[key] = stored->code_identity;
    for (Trial* trial : compiled_.at(key)) {
      trial->compiled = outcome;
      if (stored) trial->code_path = stored->code_path.string();
      advance(!outcome.ok());
    }
  }

  /// Code for another platform may take another way than the one that is patched, or make the same
  /// of both. On the host that is a patch that plants nothing.
  bool is_shipped_code(const Trial& trial) const {
    if (target_.platform == Platform::host || !trial.compiled.ok()) return false;
    if (!trial.planted || !trial.mutant->changes_code_alone()) return false;
    const auto shipped = identities_.find(trial.shipped_key);
    return shipped != identities_.end() && shipped->second == identities_.at(trial.key);
  }

  void prove_all() {
    std::set<std::string> off;
    if (!choice_.without.empty()) off = find_check_group(choice_.without).parts;
    std::int64_t jobs = 0;
    for (const Trial& trial : trials_) {
      if (is_shipped_code(trial)) {
        add_out_of_reach(*trial.mutant, trial.mode,
                         fmt::format("the code for {} is the same without it", target_.name));
        continue;
      }
      const int seeds = trial.planted ? 1 : choice_.seeds;
      for (int seed = 1; seed <= seeds; ++seed, ++jobs)
        submit_proof(trial, {static_cast<std::uint64_t>(seed), off},
                     [this, &trial, seed](const ProofReport& report) {
                       if (trial.planted)
                         judge_mutant(trial, report);
                       else
                         judge_shipped(trial, seed, report);
                     });
    }
    run(workers_, "prove", jobs);
  }

  /// Every killed mutant again, without the checks that found it.
  void prove_without_killers() {
    std::int64_t jobs = 0;
    for (MutantVerdict& verdict : summary_.mutants) {
      const CheckGroup* group = group_of(verdict.check, to_string(verdict.status));
      if (!verdict.killed || group == nullptr || group->modes.count(verdict.mode) == 0) continue;
      const auto trial = std::find_if(trials_.begin(), trials_.end(), [&](const Trial& one) {
        return one.planted && one.mode == verdict.mode && one.mutant->name == verdict.name;
      });
      if (!choice_.again_without && trial->mutant->target.empty()) continue;
      ++jobs;
      submit_proof(*trial, {1, group->parts}, [this, &verdict, group](const auto& report) {
        if (report.outcome.ok()) verdict.lives_without = group->name;
        advance(false);
      });
    }
    run(workers_, "again, without the check that found it", jobs);
  }

  void run(WorkerPool& pool, const char* what, std::int64_t jobs) {
    stage_ = what;
    session_.progress.begin(stage_, jobs, 0);
    pool.run(session_.stop, [this] { session_.progress.tick(); });
    session_.progress.end(stage_);
  }

  void advance(bool failed) {
    session_.progress.advance(stage_, failed ? StepEnd::failed : StepEnd::done);
  }

  template <typename Judge>
  void submit_proof(const Trial& trial, const Run& run, Judge judge) {
    if (!trial.compiled.ok()) {
      ProofReport report;
      report.outcome = trial.compiled;
      judge(report);
      return;
    }
    const Mutant& mutant = *trial.mutant;
    Job job;
    job.request = Json{{"op", "mutant"},
                       {"device", choice_.device},
                       {"code", trial.code_path},
                       {"variant", to_json(mutant.variant)},
                       {"case", to_json(mutant.which)},
                       {"launch", to_json(trial.planted ? mutant.launch : LaunchChange{})},
                       {"device_change", to_json(trial.planted ? mutant.device : DeviceChange{})},
                       {"batch_invariant", mutant.batch_invariant(trial.mode)},
                       {"digest_code", digest_code_},
                       {"seed", run.seed},
                       {"off", run.off}};
    job.limit = kernel_limit(session_.options);
    // A planted bug may well hang; the kernels beside them must not seem to.
    job.second_try = !trial.planted;
    job.done = [&trial, judge](const JobEnd& end) {
      if (end.how != JobEnd::How::cancelled) judge(mutant_report(end, trial.mode));
    };
    workers_.submit(std::move(job));
  }

  void add_out_of_reach(const Mutant& mutant, ProofMode mode, const std::string& why) {
    summary_.mutants.push_back(
        {mutant.name, mutant.about, mode, Status::skipped, "", "", false, why, ""});
  }

  void judge_mutant(const Trial& trial, const ProofReport& report) {
    const Mutant& mutant = *trial.mutant;
    const Expectation expected = mutant.expectation(trial.mode, target_);
    MutantVerdict verdict{mutant.name,
                          mutant.about,
                          trial.mode,
                          report.outcome.status,
                          report.failed_check,
                          report.outcome.message,
                          false,
                          expected.out_of_reach,
                          ""};
    verdict.killed = !report.outcome.ok() && kills(expected, report);
    advance(!verdict.killed && verdict.out_of_reach.empty());
    summary_.mutants.push_back(std::move(verdict));
  }

  void judge_shipped(const Trial& trial, int seed, const ProofReport& report) {
    ++summary_.true_runs;
    if (!report.outcome.ok())
      summary_.false_alarms.push_back(fmt::format(
          "{} mode, {}, {}, seed {}: {}: {}", to_string(trial.mode), trial.mutant->which.key(),
          trial.mutant->variant.key(*trial.mutant->which.geometry.family), seed,
          to_string(report.outcome.status), report.outcome.message));
    advance(!report.outcome.ok());
  }

  const MutantFile& file_;
  const SelftestChoice& choice_;
  Target target_;
  Session& session_;
  WorkerPool& workers_;
  WorkerPool compilers_;
  ScratchStore scratch_;
  std::string identity_;
  std::string digest_code_;
  std::deque<Trial> trials_;  ///< jobs hold references
  std::set<std::string> shipped_;
  std::map<std::string, std::vector<Trial*>> compiled_;
  std::map<std::string, std::string> identities_;  ///< of code objects, by key
  SelftestSummary summary_;
  std::string stage_;  ///< that runs
};

}  // namespace

SelftestSummary selftest(const MutantFile& file, const SelftestChoice& choice, Session& session,
                         WorkerPool& workers) {
  return Selftest(file, choice, session, workers).run();
}

}  // namespace fusetune

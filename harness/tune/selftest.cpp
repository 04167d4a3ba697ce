#include "harness/tune/selftest.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "harness/base/error.hpp"
#include "harness/verify/findings.hpp"

namespace fusetune {

namespace {

/// Replaces the one occurrence of a mutant's text. Throws UserError when there is none, or more.
void apply_patch(const Mutant& mutant, CompileRequest& request) {
  std::vector<SourceText*> texts{&request.source};
  for (SourceText& header : request.headers) texts.push_back(&header);
  for (SourceText* text : texts) {
    if (std::filesystem::path(text->name).filename() != mutant.file) continue;
    const std::size_t at = text->text.find(mutant.replace);
    if (at == std::string::npos)
      throw UserError(mutant.mark, fmt::format("{}: the text to replace is not in {}", mutant.name,
                                               mutant.file));
    if (text->text.find(mutant.replace, at + 1) != std::string::npos)
      throw UserError(mutant.mark, fmt::format("{}: the text to replace is in {} more than once",
                                               mutant.name, mutant.file));
    text->text.replace(at, mutant.replace.size(), mutant.with);
    return;
  }
  throw UserError(mutant.mark,
                  fmt::format("{}: the kernel has no source '{}'", mutant.name, mutant.file));
}

/// A code-object store that is removed with its owner.
class ScratchStore {
 public:
  ScratchStore() : store_(make_folder()) {}
  ~ScratchStore() {
    std::error_code ignored;
    std::filesystem::remove_all(store_.root(), ignored);
  }
  ScratchStore(const ScratchStore&) = delete;
  ScratchStore& operator=(const ScratchStore&) = delete;

  const CodeStore& store() const { return store_; }

 private:
  static std::filesystem::path make_folder() {
    std::error_code error;
    const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
    if (error) throw UserError("the temporary folder (TMPDIR) is unusable: " + error.message());
    std::string name = (parent / "fusetune-selftest-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw UserError(fmt::format("cannot make a temporary folder in {}: {}", parent.string(),
                                  std::generic_category().message(errno)));
    return name;
  }

  CodeStore store_;
};

/// Whether the family has anything that the check could look at.
bool applies(Check check, const Family& family) {
  const auto any = [&](auto&& holds) {
    return std::any_of(family.tensors.begin(), family.tensors.end(), holds);
  };
  switch (check) {
    case Check::row_padding:
      return any([](const TensorDecl& tensor) { return tensor.runtime_row_stride; });
    case Check::inputs_unchanged:
      return any([](const TensorDecl& tensor) { return tensor.role == Role::in; });
    case Check::untouched:
      return any([](const TensorDecl& tensor) {
        return tensor.role == Role::inout || tensor.role == Role::state;
      });
    default:
      return true;
  }
}

std::vector<std::string> unproven_checks(const Family& family,
                                         const std::vector<MutantVerdict>& verdicts) {
  std::vector<std::string> unproven;
  for (int i = 0; i <= static_cast<int>(Check::determinism); ++i) {
    const Check check = static_cast<Check>(i);
    const bool proven =
        std::any_of(verdicts.begin(), verdicts.end(), [check](const MutantVerdict& verdict) {
          return verdict.killed && verdict.check == to_string(check);
        });
    if (!proven && applies(check, family)) unproven.emplace_back(to_string(check));
  }
  return unproven;
}

bool kills(const Killer& killer, const ProofReport& report) {
  return killer.check == report.failed_check &&
         (!killer.status || *killer.status == report.outcome.status);
}

/// One code object to compile and what to prove with it.
struct Trial {
  const Mutant* mutant = nullptr;  ///< whose case and variant
  bool planted = false;            ///< or the shipped kernel
  std::string key;
  std::string code_path;
  Outcome compiled;
};

class Selftest {
 public:
  Selftest(const std::vector<Mutant>& mutants, const std::string& device, int seeds,
           Session& session)
      : mutants_(mutants),
        device_(device),
        target_(target_of_device(device)),
        seeds_(seeds),
        session_(session) {}

  SelftestSummary run() {
    compile_all();
    if (!session_.stop()) prove_all();
    summary_.interrupted = session_.stop();
    if (!mutants_.empty())
      summary_.unproven_checks =
          unproven_checks(*mutants_.front().which.geometry.family, summary_.mutants);
    return std::move(summary_);
  }

 private:
  void compile_all() {
    std::string why;
    const std::string identity = compiler_identity(target_, &why);
    if (identity.empty()) throw UserError(why);
    WorkerPool pool(worker_role("compile", job_count(session_.options)));
    trials_.reserve(2 * mutants_.size());
    for (const Mutant& mutant : mutants_)
      for (const bool planted : {true, false}) {
        trials_.push_back({&mutant, planted, "", "", {}});
        submit_compile(pool, trials_.back(), identity);
      }
    session_.progress.begin("compile", static_cast<std::int64_t>(trials_.size()), 0);
    pool.run(session_.stop, [this] { session_.progress.tick(); });
    session_.progress.end();
  }

  void submit_compile(WorkerPool& pool, Trial& trial, const std::string& identity) {
    CompileRequest request =
        make_compile_request(trial.mutant->which.geometry, trial.mutant->variant, target_);
    if (trial.planted && !trial.mutant->file.empty()) apply_patch(*trial.mutant, request);
    trial.key = request.key(identity);
    Job job;
    job.request = Json{{"op", "compile"},
                       {"store", scratch_.store().root().string()},
                       {"key", trial.key},
                       {"request", to_json(request)}};
    job.limit = std::chrono::milliseconds(
        static_cast<std::int64_t>(session_.options.compile_timeout_s * 1000));
    job.done = [this, &trial](const JobEnd& end) { finish_compile(trial, end); };
    pool.submit(std::move(job));
  }

  void finish_compile(Trial& trial, const JobEnd& end) {
    if (end.how == JobEnd::How::cancelled) return;
    if (end.answer.contains("error")) throw UserError(end.answer["error"].get<std::string>());
    const std::optional<StoredCode> stored = scratch_.store().find(trial.key);
    if (end.how == JobEnd::How::timed_out)
      trial.compiled = {Status::compile_timeout, fmt::format("the compiler did not end within {} s",
                                                             session_.options.compile_timeout_s)};
    else if (stored)
      trial.compiled = stored->outcome;
    else
      trial.compiled = {Status::compiler_crash, "no code object"};
    if (stored) trial.code_path = stored->code_path.string();
    session_.progress.advance(!trial.compiled.ok());
  }

  void prove_all() {
    WorkerPool pool(worker_role("device", job_count(session_.options)));
    std::int64_t jobs = 0;
    for (const Trial& trial : trials_)
      for (int seed = 1; seed <= (trial.planted ? 1 : seeds_); ++seed, ++jobs)
        submit_proof(pool, trial, static_cast<std::uint64_t>(seed));
    session_.progress.begin("prove", jobs, 0);
    pool.run(session_.stop, [this] { session_.progress.tick(); });
    session_.progress.end();
    std::sort(summary_.mutants.begin(), summary_.mutants.end(),
              [](const MutantVerdict& a, const MutantVerdict& b) { return a.name < b.name; });
  }

  void submit_proof(WorkerPool& pool, const Trial& trial, std::uint64_t seed) {
    if (!trial.compiled.ok()) {
      ProofReport report;
      report.outcome = trial.compiled;
      judge(trial, seed, report);
      return;
    }
    Job job;
    job.request = Json{{"op", "prove"},
                       {"device", device_},
                       {"code", trial.code_path},
                       {"variant", to_json(trial.mutant->variant)},
                       {"cases", Json::array({to_json(trial.mutant->which)})},
                       {"blocks", trial.planted ? trial.mutant->launch.blocks : 0},
                       {"blocks_less", trial.planted ? trial.mutant->launch.blocks_less : 0},
                       {"seed", seed}};
    job.limit = std::chrono::milliseconds(
        static_cast<std::int64_t>(session_.options.kernel_timeout_s * 1000));
    job.done = [this, &trial, seed](const JobEnd& end) {
      if (end.how == JobEnd::How::cancelled) return;
      ProofReport report;
      if (end.how == JobEnd::How::answered && end.answer.contains("reports"))
        report = proof_from_json(end.answer["reports"].front().at("report"));
      else
        report.outcome = {
            end.how == JobEnd::How::timed_out ? Status::kernel_timeout : Status::worker_lost,
            end.answer.contains("error") ? end.answer["error"].get<std::string>()
                                         : end.last_output};
      judge(trial, seed, report);
    };
    pool.submit(std::move(job));
  }

  void judge(const Trial& trial, std::uint64_t seed, const ProofReport& report) {
    const Mutant& mutant = *trial.mutant;
    if (trial.planted) {
      MutantVerdict verdict{mutant.name,         mutant.about,           report.outcome.status,
                            report.failed_check, report.outcome.message, false};
      verdict.killed =
          !report.outcome.ok() &&
          std::any_of(mutant.killed_by.begin(), mutant.killed_by.end(),
                      [&report](const Killer& killer) { return kills(killer, report); });
      session_.progress.advance(!verdict.killed);
      summary_.mutants.push_back(std::move(verdict));
      return;
    }
    ++summary_.true_runs;
    if (!report.outcome.ok())
      summary_.false_alarms.push_back(fmt::format("{}, seed {}: {}: {}", mutant.which.key(), seed,
                                                  to_string(report.outcome.status),
                                                  report.outcome.message));
    session_.progress.advance(!report.outcome.ok());
  }

  const std::vector<Mutant>& mutants_;
  std::string device_;
  Target target_;
  int seeds_;
  Session& session_;
  ScratchStore scratch_;
  std::vector<Trial> trials_;
  SelftestSummary summary_;
};

}  // namespace

bool SelftestSummary::passed() const {
  return !interrupted && !mutants.empty() && true_runs > 0 && false_alarms.empty() &&
         unproven_checks.empty() &&
         std::all_of(mutants.begin(), mutants.end(),
                     [](const MutantVerdict& verdict) { return verdict.killed; });
}

SelftestSummary selftest(const std::vector<Mutant>& mutants, const std::string& device, int seeds,
                         Session& session) {
  return Selftest(mutants, device, seeds, session).run();
}

}  // namespace fusetune

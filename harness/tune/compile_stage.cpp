#include "harness/tune/compile_stage.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <functional>
#include <memory>

#include "harness/base/error.hpp"

namespace fusetune {

const CompiledUnit* CompileSummary::find(std::size_t geometry, std::size_t variant,
                                         const Target& target) const {
  for (const CompiledUnit& unit : units)
    if (unit.geometry == geometry && unit.variant == variant && unit.target == target) return &unit;
  return nullptr;
}

namespace {

/// A target whose first compilations all crash is not tried a thousand times.
constexpr int kCrashesForUnsupported = 2;

CompileResult failure_of(const JobEnd& end) {
  CompileResult result;
  result.log = end.last_output;
  result.compile_ms = end.wall_ms;
  if (end.how == JobEnd::How::timed_out) {
    result.outcome = {Status::compile_timeout,
                      fmt::format("the compiler did not end within {:.0f} s", end.wall_ms / 1000)};
  } else if (end.signal != 0) {
    result.outcome = {Status::compiler_crash,
                      fmt::format("the compiler was ended by signal {}", end.signal)};
  } else {
    result.outcome = {Status::compiler_crash,
                      fmt::format("the compiler process ended with exit code {}", end.exit_code)};
  }
  return result;
}

/// Compiles the units of one target: first one alone, then, unless the first ones crash, all the
/// others at once.
class TargetQueue {
 public:
  TargetQueue(const Plan& plan, Session& session, WorkerPool& pool, CompileSummary& summary,
              std::vector<std::size_t> units)
      : plan_(plan), session_(session), pool_(pool), summary_(summary), units_(std::move(units)) {}

  /// Hands out work: one unit at a time until the target is trusted, then everything.
  void pump() {
    while (next_ < units_.size() && (trusted_ || under_way_ == 0)) {
      if (!trusted_ && crashes_ >= kCrashesForUnsupported) return refuse_rest();
      submit(units_[next_++]);
    }
  }

  /// Why no compilation can end well here (disk full, ...): a worker said so, and it is no
  /// variant's fault.
  const std::string& environment_error() const { return environment_error_; }

 private:
  void refuse_rest() {
    for (; next_ < units_.size(); ++next_) {
      CompiledUnit& unit = summary_.units[units_[next_]];
      unit.code.outcome = {
          Status::unsupported_target,
          fmt::format("the first {} compilations for {} all crashed the compiler ({})", crashes_,
                      unit.target.name, summary_.compilers.at(unit.target.name))};
      session_.progress.advance(true);
    }
  }

  void submit(std::size_t index) {
    CompiledUnit& unit = summary_.units[index];
    if (take_from_store(unit)) {
      ++summary_.reused;
      judge(unit);
      return;
    }
    const PlannedGeometry& geometry = plan_.geometries[unit.geometry];
    const CompileRequest request =
        make_compile_request(geometry.geometry, geometry.variants[unit.variant], unit.target);
    Job job;
    job.request = Json{{"op", "compile"},
                       {"store", session_.code.root().string()},
                       {"key", unit.key},
                       {"request", to_json(request)}};
    job.limit = std::chrono::milliseconds(
        static_cast<std::int64_t>(session_.options.compile_timeout_s * 1000));
    job.done = [this, index](const JobEnd& end) { finish(index, end); };
    ++under_way_;
    pool_.submit(std::move(job));
  }

  bool take_from_store(CompiledUnit& unit) {
    const std::optional<StepRecord> record =
        session_.records.find(StepRecord::Kind::compile, unit.key);
    std::optional<StoredCode> stored = session_.code.find(unit.key);
    const bool failed = stored && !stored->outcome.ok();
    if (stored && !(failed && session_.options.retry_failed)) {
      unit.code = *std::move(stored);
      // Compiled by a run that was killed before it could record it.
      if (!record) add_record(unit);
      return true;
    }
    if (record) session_.records.forget(StepRecord::Kind::compile, unit.key);
    return false;
  }

  void finish(std::size_t index, const JobEnd& end) {
    CompiledUnit& unit = summary_.units[index];
    --under_way_;
    if (end.how == JobEnd::How::cancelled) return;
    if (end.how != JobEnd::How::answered) {
      unit.code = session_.code.put(unit.key, failure_of(end));
    } else if (end.answer.contains("error")) {
      environment_error_ = end.answer["error"].get<std::string>();
      return;
    } else if (std::optional<StoredCode> stored = session_.code.find(unit.key)) {
      unit.code = *std::move(stored);
    } else {
      environment_error_ = fmt::format("a code object in {} was not readable after writing",
                                       session_.code.root().string());
      return;
    }
    ++summary_.compiled;
    add_record(unit);
    session_.progress.advance(!unit.code.outcome.ok());
    judge(unit);
    pump();
  }

  void add_record(const CompiledUnit& unit) {
    const PlannedGeometry& geometry = plan_.geometries[unit.geometry];
    StepRecord step;
    step.kind = StepRecord::Kind::compile;
    step.key = unit.key;
    step.subject = fmt::format("{} | {} | {}", geometry.geometry.key(),
                               geometry.variants[unit.variant].key(*geometry.geometry.family),
                               unit.target.name);
    step.status = unit.code.outcome.status;
    step.message = unit.code.outcome.message;
    step.data = Json{{"code_identity", unit.code.code_identity},
                     {"compiler", summary_.compilers.at(unit.target.name)},
                     {"facts", to_json(unit.code.facts)}};
    step.wall_ms = unit.code.compile_ms;
    session_.records.add(step);
  }

  void judge(const CompiledUnit& unit) {
    if (unit.code.outcome.status == Status::compiler_crash)
      ++crashes_;
    else
      trusted_ = true;
  }

  const Plan& plan_;
  Session& session_;
  WorkerPool& pool_;
  CompileSummary& summary_;
  std::vector<std::size_t> units_;
  std::size_t next_ = 0;
  int under_way_ = 0;
  int crashes_ = 0;
  std::string environment_error_;
  bool trusted_ = false;
};

std::vector<Target> targets_of(const Plan& plan) {
  std::vector<Target> targets{plan.target};
  for (const Target& target : plan.compile_only)
    if (target != plan.target) targets.push_back(target);
  return targets;
}

void list_units(const Plan& plan, const Target& target, CompileSummary& summary) {
  for (std::size_t g = 0; g < plan.geometries.size(); ++g) {
    const PlannedGeometry& geometry = plan.geometries[g];
    for (std::size_t v = 0; v < geometry.variants.size(); ++v) {
      const Variant& variant = geometry.variants[v];
      const ImplementationDecl* implementation =
          geometry.geometry.family->find_implementation(variant.implementation);
      if (implementation == nullptr || implementation->launches.empty()) continue;
      CompiledUnit unit;
      unit.geometry = g;
      unit.variant = v;
      unit.target = target;
      unit.code.outcome = {Status::skipped, "not compiled before the run was interrupted"};
      summary.units.push_back(std::move(unit));
    }
  }
}

/// Gives every unit its key, or its refusal when the target has no compiler here. Returns the units
/// to work on.
std::vector<std::size_t> prepare_target(const Plan& plan, const Target& target, std::size_t first,
                                        CompileSummary& summary) {
  std::string why;
  const std::string identity = compiler_identity(target, &why);
  std::vector<std::size_t> units;
  if (identity.empty())
    summary.unavailable[target.name] = why;
  else
    summary.compilers[target.name] = identity;
  for (std::size_t i = first; i < summary.units.size(); ++i) {
    CompiledUnit& unit = summary.units[i];
    if (identity.empty()) {
      unit.code.outcome = {Status::unsupported_target, why};
      continue;
    }
    const PlannedGeometry& geometry = plan.geometries[unit.geometry];
    unit.key = make_compile_request(geometry.geometry, geometry.variants[unit.variant], target)
                   .key(identity);
    units.push_back(i);
  }
  return units;
}

}  // namespace

std::string compiler_identity(const Target& target, std::string* why) {
  const JobEnd end = ask_worker("compile", Json{{"op", "identify"}, {"target", target.name}}, 30);
  if (end.how != JobEnd::How::answered) {
    *why = fmt::format("the compile worker for {} died: {}", target.name, end.last_output);
    return "";
  }
  if (end.answer.contains("error")) {
    *why = end.answer["error"].get<std::string>();
    return "";
  }
  return end.answer.at("identity").get<std::string>();
}

CompileSummary compile_plan(const Plan& plan, Session& session) {
  CompileSummary summary;
  std::vector<std::vector<std::size_t>> queues;
  std::map<std::string, std::size_t> first_of;  // equal requests are compiled once
  std::int64_t found = 0;
  for (const Target& target : targets_of(plan)) {
    const std::size_t first = summary.units.size();
    list_units(plan, target, summary);
    queues.push_back(prepare_target(plan, target, first, summary));
    std::erase_if(queues.back(), [&](std::size_t index) {
      return !first_of.emplace(summary.units[index].key, index).second;
    });
  }
  std::int64_t all = 0;
  for (const auto& queue : queues)
    for (const std::size_t index : queue) {
      ++all;
      if (session.code.find(summary.units[index].key)) ++found;
    }
  session.progress.begin("compile", all - found, found);
  WorkerPool pool(worker_role("compile", job_count(session.options)));
  std::vector<std::unique_ptr<TargetQueue>> running;
  for (auto& queue : queues) {
    running.push_back(
        std::make_unique<TargetQueue>(plan, session, pool, summary, std::move(queue)));
    running.back()->pump();
  }
  const auto broken = [&running] {
    return std::find_if(running.begin(), running.end(),
                        [](const auto& queue) { return !queue->environment_error().empty(); });
  };
  pool.run([&] { return session.stop() || broken() != running.end(); },
           [&session] { session.progress.tick(); });
  session.progress.end();
  if (const auto queue = broken(); queue != running.end())
    throw UserError((*queue)->environment_error());
  for (CompiledUnit& unit : summary.units)
    if (const auto same = first_of.find(unit.key); same != first_of.end())
      unit.code = summary.units[same->second].code;
  return summary;
}

namespace {

Compiler& compiler_for(const Target& target) {
  static std::map<Platform, std::unique_ptr<Compiler>> loaded;
  std::unique_ptr<Compiler>& compiler = loaded[target.platform];
  if (!compiler) {
    std::string reason;
    compiler = target.platform == Platform::host ? make_host_compiler()
                                                 : load_compiler_module(target.platform, &reason);
    if (!compiler)
      throw UserError(fmt::format("nothing here compiles for {}: {}", target.name, reason));
  }
  return *compiler;
}

}  // namespace

Json handle_compile_request(const Json& request) {
  if (request.at("op") == "identify") {
    const Target target = parse_target(request.at("target").get<std::string>());
    return Json{{"identity", compiler_for(target).identity()}};
  }
  const CompileRequest what = compile_request_from_json(request.at("request"));
  const CompileResult result = compiler_for(what.target).compile(what);
  CodeStore store(request.at("store").get<std::string>());
  store.put(request.at("key").get<std::string>(), result);
  return Json{{"status", std::string(to_string(result.outcome.status))}};
}

}  // namespace fusetune

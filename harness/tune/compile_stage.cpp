#include "harness/tune/compile_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <new>

#include "harness/base/error.hpp"
#include "harness/tune/compile_failure.hpp"
#include "harness/tune/target_queue.hpp"

namespace fusetune {

const CompiledUnit* CompileSummary::find(std::size_t geometry, std::size_t variant,
                                         const Target& target) const {
  const std::size_t place = index_.find(units, geometry, variant, target.name,
                                        [](const CompiledUnit& unit) { return unit.target.name; });
  return place < units.size() ? &units[place] : nullptr;
}

std::vector<Target> targets_of(const Plan& plan) {
  std::vector<Target> targets{plan.target};
  for (const Target& target : plan.compile_only)
    if (target != plan.target) targets.push_back(target);
  return targets;
}

namespace {

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

/// Whether the units of a target are compiled instrumented as well.
bool wants_exact(const Plan& plan, const Target& target, const EngineOptions& options) {
  return target == plan.target && target.platform == Platform::host && options.exact_rows_max > 0;
}

/// Gives every unit its keys, or its refusal when the target has no compiler here. Returns the
/// units to work on.
std::vector<std::size_t> prepare_target(const Plan& plan, const Target& target, std::size_t first,
                                        bool with_exact, SourceReader& sources,
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
    CompileRequest request =
        make_compile_request(geometry.geometry, geometry.variants[unit.variant], target, sources);
    unit.key = request.key(identity);
    if (with_exact) {
      request.exact = true;
      if (std::string key = request.key(identity); key != unit.key) {
        unit.exact_key = std::move(key);
        unit.exact.emplace().outcome = unit.code.outcome;
      }
    }
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

CompileStage::CompileStage(const Plan& plan, Session& session, WorkerPool& pool,
                           CompileSummary& summary, bool with_exact,
                           std::function<void(std::size_t)> done, SourceReader sources)
    : plan_(plan),
      session_(session),
      pool_(pool),
      sources_(std::move(sources)),
      summary_(summary),
      done_(std::move(done)) {
  for (const Target& target : targets_of(plan))
    list_target(target, with_exact && wants_exact(plan, target, session.options));
}

CompileStage::~CompileStage() = default;

void CompileStage::list_target(const Target& target, bool with_exact) {
  const std::size_t first = summary_.units.size();
  list_units(plan_, target, summary_);
  std::vector<std::size_t> units =
      prepare_target(plan_, target, first, with_exact, sources_, summary_);
  if (units.empty())
    for (std::size_t i = first; i < summary_.units.size(); ++i) refused_.push_back(i);
  std::erase_if(units, [this](std::size_t index) {
    const auto [known, is_new] = first_of_.emplace(summary_.units[index].key, index);
    if (!is_new) twins_[known->second].push_back(index);
    return !is_new;
  });
  queues_.push_back(std::make_unique<TargetQueue>(plan_, session_, pool_, sources_, summary_,
                                                  std::move(units),
                                                  [this](std::size_t index) { tell(index); }));
}

void CompileStage::begin() {
  std::int64_t all = 0;
  std::int64_t found = 0;
  for (const auto& [key, index] : first_of_)
    for (const std::string& one : {key, summary_.units[index].exact_key}) {
      if (one.empty()) continue;
      ++all;
      if (session_.code.find(one)) ++found;
    }
  session_.progress.begin("compile", all - found, found);
}

void CompileStage::start() {
  for (const std::size_t index : refused_) done_(index);
  for (const auto& queue : queues_) queue->pump();
}

void CompileStage::tell(std::size_t index) {
  done_(index);
  const auto twins = twins_.find(index);
  if (twins == twins_.end()) return;
  for (const std::size_t twin : twins->second) {
    summary_.units[twin].code = summary_.units[index].code;
    summary_.units[twin].exact = summary_.units[index].exact;
    done_(twin);
  }
}

bool CompileStage::broken() const {
  return std::any_of(queues_.begin(), queues_.end(),
                     [](const auto& queue) { return !queue->environment_error().empty(); });
}

void CompileStage::finish() {
  session_.progress.end("compile");
  for (const auto& queue : queues_)
    if (!queue->environment_error().empty()) throw UserError(queue->environment_error());
}

CompileSummary compile_plan(const Plan& plan, Session& session, bool with_exact,
                            SourceReader sources) {
  CompileSummary summary;
  WorkerPool pool(compile_workers(session.options));
  CompileStage stage(
      plan, session, pool, summary, with_exact, [](std::size_t) {}, std::move(sources));
  stage.begin();
  stage.start();
  pool.run([&] { return session.stop() || stage.broken(); },
           [&session] { session.progress.tick(); });
  stage.finish();
  return summary;
}

namespace {

Compiler& compiler_for(const Target& target) {
  static std::map<Platform, std::unique_ptr<Compiler>> loaded;
  std::unique_ptr<Compiler>& compiler = loaded[target.platform];
  if (!compiler) {
    std::string reason;
    compiler = target.platform == Platform::host ? make_host_compiler()
               : target.platform == Platform::simulated
                   ? make_simulated_compiler()
                   : load_compiler_module(target.platform, &reason);
    if (!compiler)
      throw UserError(fmt::format("nothing here compiles for {}: {}", target.name, reason));
  }
  return *compiler;
}

}  // namespace

CompileRequest asked_to_compile(const Json& request) {
  Json whole = request.at("request");
  if (request.contains("shared")) whole.update(request.at("shared"));
  return compile_request_from_json(whole);
}

Json handle_compile_request(const Json& request) {
  if (request.at("op") == "identify") {
    const Target target = parse_target(request.at("target").get<std::string>());
    return Json{{"identity", compiler_for(target).identity()}};
  }
  const CompileRequest what = asked_to_compile(request);
  const std::int64_t memory_mib = request.value("memory_mib", std::int64_t{0});
  Compiler& compiler = compiler_for(what.target);
  CompileResult result;
  try {
    result = compiler.compile(what);
    if (result.outcome.status == Status::out_of_memory)
      result.outcome = not_enough_memory(memory_mib, result.outcome.message);
  } catch (const std::bad_alloc&) {
    result.outcome = not_enough_memory(memory_mib, "");
  }
  // A failure that may not be the variant's is no entry of the store yet.
  if (request.value("last_try", true) || !is_worth_a_second_try(result.outcome.status))
    CodeStore(request.at("store").get<std::string>())
        .put(request.at("key").get<std::string>(), result, {what.target.name, compiler.identity()});
  // What a compiler left behind where it got no memory is not to be built on.
  return Json{{"status", std::string(to_string(result.outcome.status))},
              {"retire", result.outcome.status == Status::out_of_memory}};
}

}  // namespace fusetune

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
  for (const CompiledUnit& unit : units)
    if (unit.geometry == geometry && unit.variant == variant && unit.target == target) return &unit;
  return nullptr;
}

namespace {

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

/// Whether the units of a target are compiled instrumented as well.
bool wants_exact(const Plan& plan, const Target& target, const EngineOptions& options) {
  return target == plan.target && target.platform == Platform::host && options.exact_rows_max > 0;
}

/// Gives every unit its keys, or its refusal when the target has no compiler here. Returns the
/// units to work on.
std::vector<std::size_t> prepare_target(const Plan& plan, const Target& target, std::size_t first,
                                        bool with_exact, CompileSummary& summary) {
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
        make_compile_request(geometry.geometry, geometry.variants[unit.variant], target);
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

CompileSummary compile_plan(const Plan& plan, Session& session, bool with_exact) {
  CompileSummary summary;
  std::vector<std::vector<std::size_t>> queues;
  std::map<std::string, std::size_t> first_of;  // equal requests are compiled once
  std::int64_t found = 0;
  for (const Target& target : targets_of(plan)) {
    const std::size_t first = summary.units.size();
    list_units(plan, target, summary);
    queues.push_back(prepare_target(
        plan, target, first, with_exact && wants_exact(plan, target, session.options), summary));
    std::erase_if(queues.back(), [&](std::size_t index) {
      return !first_of.emplace(summary.units[index].key, index).second;
    });
  }
  std::int64_t all = 0;
  for (const auto& queue : queues)
    for (const std::size_t index : queue)
      for (const std::string& key : {summary.units[index].key, summary.units[index].exact_key}) {
        if (key.empty()) continue;
        ++all;
        if (session.code.find(key)) ++found;
      }
  session.progress.begin("compile", all - found, found);
  WorkerPool pool(compile_workers(session.options));
  std::vector<std::unique_ptr<TargetQueue>> running;
  for (auto& queue : queues) {
    running.push_back(std::make_unique<TargetQueue>(plan, session, pool, summary, std::move(queue),
                                                    [](std::size_t) {}));
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
    if (const auto same = first_of.find(unit.key); same != first_of.end()) {
      unit.code = summary.units[same->second].code;
      unit.exact = summary.units[same->second].exact;
    }
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
  const std::int64_t memory_mib = request.value("memory_mib", std::int64_t{0});
  CompileResult result;
  try {
    result = compiler_for(what.target).compile(what);
    if (result.outcome.status == Status::out_of_memory)
      result.outcome = not_enough_memory(memory_mib, result.outcome.message);
  } catch (const std::bad_alloc&) {
    result.outcome = not_enough_memory(memory_mib, "");
  }
  // A failure that may not be the variant's is no entry of the store yet.
  if (request.value("last_try", true) || !is_worth_a_second_try(result.outcome.status))
    CodeStore(request.at("store").get<std::string>())
        .put(request.at("key").get<std::string>(), result);
  // What a compiler left behind where it got no memory is not to be built on.
  return Json{{"status", std::string(to_string(result.outcome.status))},
              {"retire", result.outcome.status == Status::out_of_memory}};
}

}  // namespace fusetune

#include "harness/report/build_steps.hpp"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <tuple>

#include "harness/spec/short_key.hpp"

namespace fusetune {

namespace {

/// "geometry | variant | target" of compilations and proofs.
struct StepSubject {
  std::string geometry, variant, target;
};

StepSubject subject_of_step(const std::string& subject) {
  const std::size_t first = subject.find(" | "), last = subject.rfind(" | ");
  if (first == std::string::npos || first == last)
    throw std::invalid_argument("its subject is none of a compilation or proof");
  return {subject.substr(0, first), subject.substr(first + 3, last - first - 3),
          subject.substr(last + 3)};
}

}  // namespace

BuiltGeometry& BuildSteps::at(const std::string& geometry_key, const std::string& target) {
  const auto [at, is_new] = built_.try_emplace({geometry_key, target});
  if (is_new) try {
      at->second.geometry = parse_geometry_key(geometry_key);
      at->second.label = short_key(at->second.geometry);
    } catch (const std::exception&) {
      built_.erase(at);
      throw;
    }
  return at->second;
}

void BuildSteps::add_compilation(const StepRecord& step) {
  const StepSubject subject = subject_of_step(step.subject);
  BuiltGeometry& geometry = at(subject.geometry, subject.target);
  const bool exact = step.data.value("exact", false);
  ++compiled;
  if (step.status != Status::ok) {
    geometry.fates[subject.variant] = {step.status, exact ? "compile for EXACT" : "compile",
                                       step.message, step.key};
    return;
  }
  if (exact) return;
  geometry.fates.erase(subject.variant);
  geometry.sound.insert(subject.variant);
  geometry.compiler = step.data.value("compiler", "");
  const CodeFacts facts = facts_from_json(step.data.at("facts"));
  if (!facts.kernels.empty()) geometry.facts[subject.variant] = facts.kernels;
}

void BuildSteps::add_proof(const StepRecord& step) {
  const StepSubject subject = subject_of_step(step.subject);
  BuiltGeometry& geometry = at(subject.geometry, subject.target);
  ++proved;
  for (const Json& check : step.data.at("checks"))
    comparisons += check.at("comparisons").get<std::int64_t>();
  if (step.status == Status::ok)
    geometry.fates.erase(subject.variant);
  else
    geometry.fates[subject.variant] = {step.status, "proof", step.message, step.key};
  targets_[subject.geometry].insert(subject.target);
}

const BuiltGeometry* BuildSteps::find(const std::string& geometry_key,
                                      const std::string& target) const {
  const auto at = built_.find({geometry_key, target});
  return at == built_.end() ? nullptr : &at->second;
}

std::set<std::string> BuildSteps::targets_of(const std::string& geometry_key) const {
  const auto at = targets_.find(geometry_key);
  return at == targets_.end() ? std::set<std::string>() : at->second;
}

std::vector<FailureClass> BuildSteps::failures(const std::vector<ReportDevice>& devices) const {
  std::map<std::pair<Status, std::string>, FailureClass> classes;
  const auto add = [&classes](const VariantFate& fate, const std::string& target,
                              const std::string& subject, const std::string& variant) {
    FailureClass& one = classes[{fate.status, target}];
    one.status = fate.status;
    one.target = target;
    one.members.push_back({subject, variant, fate.step, fate.message, fate.record});
  };
  for (const auto& [where, geometry] : built_)
    for (const auto& [variant, fate] : geometry.fates)
      add(fate, where.second, geometry.label, variant);
  for (const ReportDevice& its : devices)
    for (const ReportGeometry& geometry : its.geometries)
      for (const ReportCase& shown : geometry.cases) {
        for (const auto& [variant, fate] : shown.fates) add(fate, its.target, shown.label, variant);
        if (!shown.outcome.ok() && shown.fates.empty())
          add({shown.outcome.status, "race", shown.outcome.message, shown.record}, its.target,
              shown.label, "");
      }
  std::vector<FailureClass> list;
  for (auto& [key, one] : classes) list.push_back(std::move(one));
  std::stable_sort(list.begin(), list.end(), [](const FailureClass& a, const FailureClass& b) {
    return a.members.size() > b.members.size();
  });
  return list;
}

std::vector<TargetFacts> BuildSteps::facts(const std::vector<ReportDevice>& devices) const {
  std::set<std::tuple<std::string, std::string, std::string>> chosen;  // target, geometry, variant
  for (const ReportDevice& its : devices)
    for (const ReportGeometry& geometry : its.geometries)
      for (const ReportRow& row : geometry.rows)
        chosen.emplace(its.target, geometry.key, row.variant);
  std::map<std::pair<std::string, std::string>, TargetFacts> by_family;  // target, family
  for (const auto& [where, geometry] : built_) {
    if (geometry.facts.empty()) continue;
    TargetFacts& one = by_family[{where.second, geometry.geometry.family->name}];
    one.target = where.second;
    one.family = geometry.geometry.family->name;
    one.compiler = geometry.compiler;
    for (const auto& [variant, kernels] : geometry.facts)
      for (const KernelFacts& kernel : kernels)
        one.rows.push_back({geometry.label, variant,
                            chosen.count({where.second, where.first, variant}) != 0, kernel});
  }
  std::vector<TargetFacts> list;
  for (auto& [key, one] : by_family) list.push_back(std::move(one));
  return list;
}

}  // namespace fusetune

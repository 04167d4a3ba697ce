#include "harness/gate/baseline_side.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/gate/snapshot.hpp"
#include "harness/tune/finalist_stage.hpp"

namespace fusetune {

namespace {

/// The same case by another version of its family. Throws where that cannot have it.
Case as_of(const Case& which, const std::shared_ptr<const Family>& family) {
  Json json = to_json(which);
  json["family_file"] = display_path(family->file);
  json["family_hash"] = family->content_hash;
  Case own = case_from_json(json);
  own.geometry.family = family;  // which knows the places of the files that it is a copy of
  return own;
}

/// Name, role, type and shape of each tensor: what both arms are given.
std::map<std::string, std::string> tensors_text(const Case& which) {
  std::map<std::string, std::string> texts;
  for (const TensorDecl* tensor : tensors_of(which.geometry)) {
    const TensorShape shape = shape_of(which, *tensor);
    std::string text = fmt::format("{} {} stride {}", to_string(tensor->role),
                                   to_string(shape.dtype), shape.row_stride);
    for (const std::int64_t dimension : shape.dims) text += fmt::format(" x {}", dimension);
    texts.emplace(tensor->name, std::move(text));
  }
  return texts;
}

/// "" where the baseline computes what the candidate does.
std::string difference_of(const Case& candidate, const Case& baseline, const std::string& key) {
  if (baseline.key() != key)
    return fmt::format("the accepted family.yaml makes {} of this case", baseline.key());
  const auto ours = tensors_text(candidate), theirs = tensors_text(baseline);
  for (const auto& [name, text] : ours)
    if (theirs.count(name) == 0 || theirs.at(name) != text)
      return fmt::format("tensor {} is not what it was when the baseline was accepted", name);
  return ours.size() == theirs.size() ? "" : "the baseline has a tensor that the candidate has not";
}

}  // namespace

BaselineSide::BaselineSide(const BaselineFile& baseline, SourceFolder sources,
                           const Plan& candidate, const DeviceProperties& device, Session& session)
    : baseline_(baseline), sources_(std::move(sources)), device_(device), session_(session) {
  plan_.sweep.name = "baseline of " + candidate.sweep.name;
  plan_.sweep.device = candidate.sweep.device;
  plan_.sweep.measure = candidate.sweep.measure;
  plan_.target = candidate.target;
}

std::shared_ptr<const Family> BaselineSide::family_of(const std::string& snapshot) {
  std::shared_ptr<const Family>& family = families_[snapshot];
  if (family) return family;
  const Snapshot& files = baseline_.snapshots.at(snapshot);
  family = fusetune::family_of(files, sources_, session_.options.store / "baseline");
  reader_.show_as(family->directory, files.folder);
  return family;
}

std::size_t BaselineSide::add(const Case& which, const BaselineCase& accepted) {
  Entry& entry = entries_.emplace_back();
  try {
    const std::shared_ptr<const Family> family = family_of(accepted.snapshot);
    const Case own = as_of(which, family);
    entry.problem = difference_of(which, own, accepted.case_key);
    if (entry.problem.empty()) place(own, parse_variant_key(*family, accepted.variant_key), entry);
  } catch (const std::exception& error) {
    entry.problem = fmt::format("the baseline cannot be read for this case: {}", error.what());
  }
  return entries_.size() - 1;
}

void BaselineSide::place(const Case& own, const Variant& variant, Entry& entry) {
  const auto [known, is_new] = geometries_.emplace(
      own.geometry.family->file.string() + "|" + own.geometry.key(), plan_.geometries.size());
  if (is_new) plan_.geometries.emplace_back().geometry = own.geometry;
  PlannedGeometry& geometry = plan_.geometries[known->second];
  geometry.cases.push_back({own, 1});
  entry.which = own;
  entry.geometry = known->second;
  const auto same = std::find_if(
      geometry.variants.begin(), geometry.variants.end(), [&variant](const Variant& one) {
        return one.implementation == variant.implementation && one.axes == variant.axes;
      });
  entry.variant = static_cast<std::size_t>(same - geometry.variants.begin());
  if (same == geometry.variants.end()) geometry.variants.push_back(variant);
}

const CompiledUnit& BaselineSide::unit(const Entry& entry) const {
  const CompiledUnit* unit = compiled_.find(entry.geometry, entry.variant, plan_.target);
  if (unit == nullptr) throw std::logic_error("a baseline that was not compiled");
  return *unit;
}

void BaselineSide::compile() {
  compiled_ = compile_plan(plan_, session_, false, reader_);
  for (Entry& entry : entries_) {
    if (!entry.problem.empty()) continue;
    const CompiledUnit* unit = compiled_.find(entry.geometry, entry.variant, plan_.target);
    if (unit == nullptr)
      entry.problem = "the baseline launches nothing";
    else if (!unit->code.outcome.ok())
      entry.problem = fmt::format("the baseline does not compile here: {}: {}",
                                  to_string(unit->code.outcome.status), unit->code.outcome.message);
  }
}

void BaselineSide::prove(const std::vector<std::size_t>& numbers) {
  std::vector<Finalist> finalists;
  std::vector<std::size_t> whose;
  for (const std::size_t number : numbers) {
    const Entry& entry = entries_[number];
    // Captured truth is of other shapes.
    if (!entry.problem.empty() || entry.which.geometry.family->has_captured_truth()) continue;
    finalists.push_back({entry.geometry, entry.variant, entry.which});
    whose.push_back(number);
  }
  if (finalists.empty()) return;
  const ProofSummary proofs = prove_finalists(plan_, compiled_, finalists, device_, session_);
  for (std::size_t i = 0; i < whose.size(); ++i) {
    const Outcome& outcome = proofs.variants[i].outcome;
    if (!outcome.ok())
      entries_[whose[i]].problem = fmt::format("the baseline fails its proof here: {}: {}",
                                               to_string(outcome.status), outcome.message);
  }
}

const std::string& BaselineSide::code_identity(std::size_t number) const {
  return unit(entries_[number]).code.code_identity;
}

std::string BaselineSide::launches(std::size_t number) const {
  const Entry& entry = entries_[number];
  return launch_plan_key(launches_of(entry.which,
                                     plan_.geometries[entry.geometry].variants[entry.variant],
                                     plan_.target, device_.facts));
}

DuelArm BaselineSide::arm(std::size_t number) const {
  const Entry& entry = entries_[number];
  return {unit(entry).code.code_path, plan_.geometries[entry.geometry].variants[entry.variant],
          entry.which};
}

}  // namespace fusetune

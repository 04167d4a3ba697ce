// What is expected of a mutant on a device, and how it gets into the code.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "harness/selftest/mutants.hpp"
#include "harness/verify/findings.hpp"

namespace fusetune {

namespace {

bool names(const Expectation& expectation, std::string_view check) {
  return std::any_of(expectation.killers.begin(), expectation.killers.end(),
                     [check](const Killer& killer) { return killer.check == check; });
}

bool is_out_of_bounds(const Killer& killer) {
  return killer.check == to_string(Check::launch) && killer.status == Status::out_of_bounds;
}

/// Memory beside a tensor is mapped on a GPU: what leaves the tensor lands in its guards, or so far
/// away that the device faults.
Expectation without_unmapped_pages(Expectation expectation) {
  if (std::none_of(expectation.killers.begin(), expectation.killers.end(), is_out_of_bounds))
    return expectation;
  expectation.killers.push_back({std::string(to_string(Check::guards)), std::nullopt});
  expectation.killers.push_back({std::string(to_string(Check::launch)), Status::kernel_fault});
  return expectation;
}

/// Makes the patch where its text stands once. Throws UserError when it stands nowhere, or twice.
void apply(const Mutant& mutant, const Patch& patch, CompileRequest& request) {
  std::vector<SourceText*> texts{&request.source};
  for (SourceText& header : request.headers) texts.push_back(&header);
  for (SourceText* text : texts) {
    if (std::filesystem::path(text->name).filename() != patch.file) continue;
    const std::size_t at = text->text.find(patch.replace);
    if (at == std::string::npos)
      throw UserError(mutant.mark,
                      fmt::format("{}: the text to replace is not in {}", mutant.name, patch.file));
    if (text->text.find(patch.replace, at + 1) != std::string::npos)
      throw UserError(mutant.mark, fmt::format("{}: the text to replace is in {} more than once",
                                               mutant.name, patch.file));
    text->text.replace(at, patch.replace.size(), patch.with);
    return;
  }
  throw UserError(mutant.mark,
                  fmt::format("{}: the kernel has no source '{}'", mutant.name, patch.file));
}

}  // namespace

bool Mutant::is_bug_on(const Target& here) const {
  if (target.empty() || target == here.name) return true;
  return here.platform != Platform::host && parse_target(target).wave_size == here.wave_size;
}

Expectation Mutant::expectation(ProofMode mode, const Target& here) const {
  if (here.platform == Platform::host) return expected.at(mode);
  if (!is_bug_on(here)) return {{}, fmt::format("right with waves of {}", here.wave_size)};
  return on_gpu ? *on_gpu : without_unmapped_pages(expected.at(mode));
}

bool Mutant::batch_invariant(ProofMode mode) const {
  return names(expected.at(mode), to_string(Check::batch_invariance));
}

bool Mutant::changes_code_alone() const {
  return !launch.any() && device.kind == DeviceChange::Kind::none;
}

void apply(const Mutant& mutant, CompileRequest& request) {
  for (const Patch& patch : mutant.patches) apply(mutant, patch, request);
  for (const auto& define : mutant.defines) {
    std::erase_if(request.macros,
                  [&define](const auto& macro) { return macro.first == define.first; });
    request.macros.emplace_back(define);
  }
}

}  // namespace fusetune

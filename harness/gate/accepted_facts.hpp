#pragma once
// The facts that people have agreed to, one file per sweep and target: reviewed like code, changed
// by an explicit command alone.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/gate/facts_entry.hpp"

namespace fusetune {

struct AcceptedFacts {
  std::string sweep, target;
  std::string compiler;             ///< whose code the facts are of; "" for traces
  std::vector<FactsEntry> entries;  ///< by geometry, then variant

  /// Or nullptr.
  const FactsEntry* find(std::string_view geometry, std::string_view variant) const;
};

/// FOLDER/SWEEP/TARGET.yaml
std::filesystem::path accepted_path(const std::filesystem::path& folder, std::string_view sweep,
                                    std::string_view target);

/// As the file has it: sorted whatever the order of `entries`.
std::string accepted_text(const AcceptedFacts& accepted);

/// Reads a file. Throws UserError with its place: unknown keys and facts, an entry that is there
/// twice, another format.
AcceptedFacts load_accepted(const std::filesystem::path& file);
AcceptedFacts parse_accepted(std::string_view text, const std::string& name);

/// What changed, one line each, for who accepts: "+ entry", "- entry", "~ entry: fact of part 32 ->
/// 40". Facts that are equal give none.
std::vector<std::string> changes_of(const AcceptedFacts& before, const AcceptedFacts& after);

}  // namespace fusetune

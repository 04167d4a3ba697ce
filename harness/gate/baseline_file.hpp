#pragma once
// The variants that a gate compares with: one line a case, in a text file that people review, and
// the sources that they are compiled from beside it, in <file>.sources. Times are not evidence
// about code and are not in it.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "harness/base/json.hpp"
#include "harness/gate/snapshot.hpp"

namespace fusetune {

/// Where and by what a case was accepted: its variant was compiled and proved there.
struct Acceptance {
  std::string device, target, compiler, harness_version;
  Json conditions;
  auto key() const {
    return std::tuple(device, target, compiler, harness_version, conditions.dump());
  }
};

struct BaselineCase {
  std::string case_key;
  std::string variant_key;
  std::string snapshot;  ///< Snapshot::id()
  std::string code_identity;
  Acceptance accepted;
};

struct BaselineFile {
  std::map<std::string, Snapshot> snapshots;  ///< by id
  std::map<std::string, BaselineCase> cases;  ///< by key

  const BaselineCase* find(const std::string& case_key) const;
};

/// <file>.sources
SourceFolder sources_of(const std::filesystem::path& file);

/// Sorted, stable, sealed; snapshots that no case names are left out.
std::string to_yaml(const BaselineFile& baseline);
/// Throws UserError with place: what to_yaml() did not write, or somebody changed.
BaselineFile parse_baseline(std::string_view text, const std::string& name);
BaselineFile read_baseline(const std::filesystem::path& file);
/// Writes the file and drops sources that no case needs any more. The snapshots' own are there.
void write_baseline(const BaselineFile& baseline, const std::filesystem::path& file);

/// How one differs from another, one line a case: "+ CASE VARIANT", "- ...", "~ CASE: what
/// changed".
std::vector<std::string> differences(const BaselineFile& from, const BaselineFile& to);

}  // namespace fusetune

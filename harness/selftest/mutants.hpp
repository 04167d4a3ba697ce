#pragma once
// Planted bugs as data: a change of a kernel, of its launches or of the device, with the checks
// that must find it in each mode. docs/verification.md explains the files of tests/mutants/.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/json.hpp"
#include "harness/base/status.hpp"
#include "harness/compile/compiler.hpp"
#include "harness/selftest/check_groups.hpp"
#include "harness/spec/geometry.hpp"

namespace fusetune {

/// A text of a source or header, to be replaced where it stands once.
struct Patch {
  std::string file, replace, with;
};

/// A change of the planned launches. Where an entry is named, of its launches alone.
struct LaunchChange {
  std::string entry{};
  std::int64_t blocks = 0;       ///< so many in the first dimension of the grid, 0: as planned
  std::int64_t blocks_less = 0;  ///< so many fewer
  bool drop = false;             ///< left out
  std::string swap_with{};       ///< changes places with this entry
  std::string argument{};        ///< this one is changed: by `add`, or the tensor `use` stands in
  std::int64_t add = 0;
  std::string use{};

  bool any() const;
};
Json to_json(const LaunchChange& change);
LaunchChange launch_change_from_json(const Json& json);

/// The launches with the change made. Throws UserError when it fits none of them.
void apply(const LaunchChange& change, std::vector<Launch>& launches);

/// What a device does wrong.
struct DeviceChange {
  enum class Kind {
    none,
    loses_launches,      ///< every so-manyth launch does not run
    skips_last_block,    ///< of every launch
    repeats_launches,    ///< every launch runs twice
    keeps_stale_inputs,  ///< a buffer's input stays what its first launch saw
    returns_early,       ///< synchronize() returns before the launches ran
    reuses_arguments,    ///< queued launches of one entry run with the arguments of the last
  } kind = Kind::none;
  std::int64_t every = 1;  ///< of loses_launches
};
Json to_json(const DeviceChange& change);
DeviceChange device_change_from_json(const Json& json);

/// A check that may find a mutant, and with which status: a launch can fail for many reasons.
struct Killer {
  std::string check;
  std::optional<Status> status;  ///< none: any
};

/// What is expected of one mode: some check finds the mutant, or it cannot.
struct Expectation {
  std::vector<Killer> killers;
  std::string out_of_reach;  ///< why the mode cannot be relied on to find it
};

/// One planted bug.
struct Mutant {
  std::string name;
  std::string about;
  std::vector<Patch> patches;
  std::vector<std::pair<std::string, std::string>> defines;
  LaunchChange launch;
  DeviceChange device;
  Case which;
  Variant variant;
  std::string target;  ///< it is a bug there alone; "" everywhere
  std::map<ProofMode, Expectation> expected;
  std::optional<Expectation> on_gpu;  ///< in FAST mode there, where that is not the host's
  Mark mark;

  /// Whether anything is wrong with it there: what takes the wave size for granted is right on
  /// devices whose waves have it.
  bool is_bug_on(const Target& here) const;
  Expectation expectation(ProofMode mode, const Target& here) const;
  /// Its rows are asked to have the same bits in every batch, for a check of that finds it.
  bool batch_invariant(ProofMode mode) const;
  /// It is wrong by its code alone: launches and device are as they should be.
  bool changes_code_alone() const;
};

/// Makes the changes of the source and of the macros. Throws UserError where a patch does not fit.
void apply(const Mutant& mutant, CompileRequest& request);

struct MutantFile {
  std::string family;
  std::vector<Mutant> mutants;
};

/// Throws UserError with place and nearest names.
MutantFile load_mutants(const std::filesystem::path& file);

/// The files of tests/mutants/, by family: sorted by name.
std::map<std::string, std::filesystem::path> mutant_files();

}  // namespace fusetune

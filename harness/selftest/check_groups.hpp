#pragma once
// The checks of a proof in groups that the self-test can switch off, one at a time, to show that
// each of them finds bugs which nothing else finds.

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/spec/target.hpp"

namespace fusetune {

/// How a kernel is proved on the host: instrumented code, where every access is seen, or plain
/// code.
enum class ProofMode { exact, fast };
std::string_view to_string(ProofMode mode);
ProofMode mode_from_string(std::string_view name);  ///< throws UserError
/// Instrumented code is made for the host device alone: there every access can be seen.
std::vector<ProofMode> modes_of(const Target& target);

struct CheckGroup {
  std::string name;
  std::string about;
  /// Names of checks, and of the statuses with which a device that sees every access ends a launch.
  std::set<std::string> parts;
  std::set<ProofMode> modes;  ///< where switching it off leaves something to run
};

const std::vector<CheckGroup>& check_groups();

/// Throws UserError with the nearest name.
const CheckGroup& find_check_group(std::string_view name);

/// The group that a check belongs to; of a failed launch, the group of its status. Nothing for
/// faults that end a launch in every mode.
const CheckGroup* group_of(std::string_view check, std::string_view status);

}  // namespace fusetune

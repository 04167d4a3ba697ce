#pragma once
// An instruction set with its wave size: what a code object is made for.

#include <string>
#include <string_view>
#include <vector>

namespace fusetune {

enum class Platform { host, amd, nvidia, simulated };

struct Target {
  std::string name;  ///< "host-w64", "gfx90a", "sm_90"
  Platform platform = Platform::host;
  int wave_size = 64;

  auto operator<=>(const Target&) const = default;
};

/// Parses a target name. Throws UserError listing the known forms.
Target parse_target(std::string_view name);

/// Targets worth naming in help and error messages; other gfx and sm names parse as well.
const std::vector<std::string>& known_targets();

}  // namespace fusetune

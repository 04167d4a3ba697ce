// Landlock: the kernel's own rules of access for a process, which need no rights to set up.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "harness/base/file_descriptor.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace fusetune {

namespace {

// As in linux/landlock.h; systems differ in how much of it they have.
constexpr long kCreateRuleset = 444, kAddRule = 445, kRestrictSelf = 446;
constexpr unsigned kAskVersion = 1;
constexpr int kPathBeneath = 1;

struct Ruleset {
  std::uint64_t files = 0;
  std::uint64_t network = 0;
  std::uint64_t scopes = 0;
};

struct __attribute__((packed)) PathRule {
  std::uint64_t allowed = 0;
  std::int32_t folder = -1;
};

// Bit 0 is execution, 2 and 3 are reading; these stay as they are.
constexpr std::uint64_t kWrite = 1U << 1, kRemoveAndMake = 0x1ff0, kRefer = 1U << 13,
                        kTruncate = 1U << 14;
constexpr std::uint64_t kTcp = 3;
constexpr std::uint64_t kAbstractSocketsAndSignals = 3;

constexpr const char* kName = "landlock";

/// The rules that this version of Landlock knows.
Ruleset rules_of(long version) {
  Ruleset rules;
  rules.files = kWrite | kRemoveAndMake;
  if (version >= 2) rules.files |= kRefer;
  if (version >= 3) rules.files |= kTruncate;
  if (version >= 4) rules.network = kTcp;
  if (version >= 6) rules.scopes = kAbstractSocketsAndSignals;
  return rules;
}

std::string refused_by(long version) {
  std::string text = "changes to files outside the scratch folder, a look into other processes";
  if (version >= 4) text += ", TCP";
  if (version >= 6) text += ", signals to other processes";
  return text;
}

bool allow_below(int ruleset, const std::filesystem::path& folder, std::uint64_t allowed) {
  const FileDescriptor place(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const PathRule rule{allowed, place.get()};
  return place.is_open() && ::syscall(kAddRule, ruleset, kPathBeneath, &rule, 0) == 0;
}

}  // namespace

std::vector<Measure> restrict_files(const std::filesystem::path& scratch) {
  const long version = ::syscall(kCreateRuleset, nullptr, 0, kAskVersion);
  if (version < 1) return {measure_by(kName, refused_by(1), false, errno)};
  const Ruleset rules = rules_of(version);
  // Older versions take no more of the structure than they know.
  const std::size_t known_bytes = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  const FileDescriptor ruleset(static_cast<int>(::syscall(kCreateRuleset, &rules, known_bytes, 0)));
  const bool active = ruleset.is_open() && allow_below(ruleset.get(), scratch, rules.files) &&
                      ::syscall(kRestrictSelf, ruleset.get(), 0) == 0;
  return {measure_by(kName, refused_by(version), active, errno)};
}

}  // namespace fusetune

#pragma once
// The rules of the gate without a clock (configs/gate-rules.yaml), and what they say of one
// variant's facts beside the accepted ones.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/gate/facts_entry.hpp"
#include "harness/gate/gate_report.hpp"

namespace fusetune {

struct StaticRule {
  std::string id;  ///< "static/spills", as SARIF and JUnit show it
  std::vector<std::string> facts;
  bool more_is_worse = true;
  std::int64_t tolerance = 0;         ///< in the facts' unit
  double tolerance_percent = 0;       ///< of the accepted value
  std::optional<std::int64_t> limit;  ///< at_most, or at_least where less is worse
  std::string reason;
};

struct StaticRules {
  std::vector<StaticRule> rules;
  std::string content_hash;

  /// The rule of a fact, or nullptr where no rule has it.
  const StaticRule* find(std::string_view fact) const;
};

/// Reads a file of rules. Throws UserError with its place: an unknown key or fact, a fact with two
/// rules, a rule without a reason, a limit on the side that is no loss.
StaticRules load_static_rules(const std::filesystem::path& file);
/// As load, from text; `name` stands for the file in messages.
StaticRules parse_static_rules(std::string_view text, const std::string& name);

/// What a rule says of one fact.
struct FactVerdict {
  const StaticRule* rule = nullptr;  ///< of the rules that were judged by
  std::string part, fact;
  std::optional<std::int64_t> accepted, observed;
  Verdict verdict = Verdict::pass;  ///< pass, improvement or regression
  std::string text;                 ///< "vgpr of k is 40, accepted 32 (at most 34)"
};

/// Every fact that a rule has, of `observed` beside `accepted` (nullptr: limits alone). A fact or a
/// part that is no longer told is a regression: what cannot be seen is not fine.
std::vector<FactVerdict> judge_facts(const StaticRules& rules, const FactsEntry* accepted,
                                     const FactsEntry& observed);

}  // namespace fusetune

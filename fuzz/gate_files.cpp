// Rules and accepted facts of a gate: errors have their place, accepted facts print and parse again
// to the same, and are no worse than themselves but for limits.

#include "fuzz/target.hpp"
#include "harness/base/error.hpp"
#include "harness/gate/accepted_facts.hpp"
#include "harness/gate/static_rules.hpp"

namespace fusetune::fuzz {

namespace {

constexpr const char* kFile = "gate.yaml";

/// Of every fact, with as little as a rule may say.
const StaticRules& plain_rules() {
  static const StaticRules rules = [] {
    StaticRules all;
    all.rules.push_back({"static/all", static_fact_names(), true, 0, 0, {}, "a reason"});
    return all;
  }();
  return rules;
}

void try_rules(std::string_view input) {
  try {
    const StaticRules rules = parse_static_rules(input, kFile);
    FactsEntry zero, large;
    for (const std::string& fact : static_fact_names()) {
      zero.parts["k"][fact] = 0;
      large.parts["k"][fact] = kFactMax;
    }
    for (const auto& [before, after] : {std::pair(&zero, &large), std::pair(&large, &zero)})
      for (const FactVerdict& verdict : judge_facts(rules, before, *after))
        require(!verdict.text.empty(), "a verdict without words");
  } catch (const UserError& error) {
    require_place(error.what(), kFile);
  }
}

void try_accepted(std::string_view input) {
  AcceptedFacts accepted;
  try {
    accepted = parse_accepted(input, kFile);
  } catch (const UserError& error) {
    return require_place(error.what(), kFile);
  }
  const std::string text = accepted_text(accepted);
  try {
    const AcceptedFacts again = parse_accepted(text, kFile);
    require(accepted_text(again) == text, "other facts from their own text");
    require(changes_of(accepted, again).empty(), "changes of what did not change");
  } catch (const UserError& error) {
    require(false, std::string("the text of accepted facts does not parse: ") + error.what());
  }
  for (const FactsEntry& entry : accepted.entries)
    for (const FactVerdict& verdict : judge_facts(plain_rules(), &entry, entry))
      require(verdict.verdict == Verdict::pass, "worse than itself: " + verdict.text);
}

}  // namespace

void run(std::string_view input) {
  try_rules(input);
  try_accepted(input);
}

}  // namespace fusetune::fuzz

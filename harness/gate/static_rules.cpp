#include "harness/gate/static_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/base/hash.hpp"
#include "harness/spec/yaml.hpp"

namespace fusetune {

namespace {

constexpr std::int64_t kRulesFormat = 1;

std::string text_of(const YamlNode& node, std::string_view what) {
  std::string text = node.as_string();
  if (text.empty()) node.fail(fmt::format("{} is empty", what));
  return text;
}

/// In the facts' unit, from 0 up.
std::int64_t read_number(const YamlNode& node) {
  const std::int64_t number = node.as_int();
  if (number < 0 || number > kFactMax) node.fail("facts and tolerances are numbers from 0 up");
  return number;
}

double read_percent(const YamlNode& node) {
  constexpr double kPercentMax = 1000;
  const double percent = node.as_double();
  if (!(percent >= 0 && percent <= kPercentMax))
    node.fail(fmt::format("a tolerance is from 0 to {} percent", kPercentMax));
  return percent;
}

std::optional<std::int64_t> read_limit(const YamlNode& node, bool more_is_worse) {
  const auto own = node.find(more_is_worse ? "at_most" : "at_least");
  if (const auto other = node.find(more_is_worse ? "at_least" : "at_most"))
    other->fail(fmt::format("{} is worse here: say {}", more_is_worse ? "more" : "less",
                            more_is_worse ? "at_most" : "at_least"));
  if (!own) return std::nullopt;
  return read_number(*own);
}

StaticRule read_rule(const YamlNode& node, std::set<std::string>& judged) {
  node.allow_keys(
      {"rule", "facts", "worse", "tolerance", "tolerance_percent", "at_most", "at_least", "reason"},
      "key of a rule");
  StaticRule rule;
  rule.id = text_of(node.at("rule"), "the rule's name");
  if (!rule.id.starts_with("static/")) node.at("rule").fail("rules are named static/...");
  for (const YamlNode& fact : node.at("facts").items()) {
    rule.facts.push_back(fact.as_one_of(static_fact_names(), "fact"));
    if (!judged.insert(rule.facts.back()).second)
      fact.fail(fmt::format("{} has a rule already", rule.facts.back()));
  }
  if (rule.facts.empty()) node.at("facts").fail("a rule without facts judges nothing");
  rule.more_is_worse = node.at("worse").as_one_of({"more", "less"}, "direction") == "more";
  if (const auto tolerance = node.find("tolerance")) rule.tolerance = read_number(*tolerance);
  if (const auto percent = node.find("tolerance_percent"))
    rule.tolerance_percent = read_percent(*percent);
  rule.limit = read_limit(node, rule.more_is_worse);
  rule.reason = text_of(node.at("reason"), "the reason");
  return rule;
}

StaticRules read_rules(const YamlNode& root, std::string_view text) {
  root.allow_keys({"gate_rules", "rules"}, "key of gate rules");
  if (root.at("gate_rules").as_int() != kRulesFormat)
    root.at("gate_rules").fail(fmt::format("this version reads format {}", kRulesFormat));
  StaticRules rules;
  rules.content_hash = hash_hex(text);
  std::set<std::string> judged;
  for (const YamlNode& node : root.at("rules").items())
    rules.rules.push_back(read_rule(node, judged));
  if (rules.rules.empty()) root.at("rules").fail("a gate without rules judges nothing");
  return rules;
}

/// How far a value may be on the worse side of the accepted one.
std::int64_t allowance(const StaticRule& rule, std::int64_t accepted) {
  const double share = std::abs(static_cast<double>(accepted)) * rule.tolerance_percent / 100;
  return std::max(rule.tolerance, static_cast<std::int64_t>(std::floor(share)));
}

FactVerdict judge_fact(const StaticRule& rule, std::string part, std::string fact,
                       std::optional<std::int64_t> accepted, std::optional<std::int64_t> observed) {
  FactVerdict found{&rule, std::move(part), std::move(fact), accepted, observed, Verdict::pass, ""};
  const std::string subject = fmt::format("{} of {}", found.fact, found.part);
  if (!observed) {
    found.verdict = Verdict::regression;
    found.text = fmt::format("{} is no longer told; accepted is {}", subject, *accepted);
    return found;
  }
  const std::int64_t sign = rule.more_is_worse ? 1 : -1;
  const std::string_view bound = rule.more_is_worse ? "at most" : "at least";
  found.text = fmt::format("{} is {}", subject, *observed);
  if (accepted) {
    const std::int64_t worse_by = sign * (*observed - *accepted);
    const std::int64_t allowed = allowance(rule, *accepted);
    found.text += fmt::format(", accepted {}", *accepted);
    if (allowed > 0) found.text += fmt::format(" ({} {})", bound, *accepted + sign * allowed);
    if (worse_by > allowed) found.verdict = Verdict::regression;
    if (worse_by < -allowed) found.verdict = Verdict::improvement;
  }
  if (rule.limit && sign * (*observed - *rule.limit) > 0) {
    found.text += fmt::format(", {} {} whatever is accepted", bound, *rule.limit);
    found.verdict = Verdict::regression;
  }
  return found;
}

std::optional<std::int64_t> value_in(const std::map<std::string, Facts>& parts,
                                     const std::string& part, const std::string& fact) {
  const auto facts = parts.find(part);
  if (facts == parts.end()) return std::nullopt;
  const auto value = facts->second.find(fact);
  if (value == facts->second.end()) return std::nullopt;
  return value->second;
}

}  // namespace

const StaticRule* StaticRules::find(std::string_view fact) const {
  for (const StaticRule& rule : rules)
    if (std::find(rule.facts.begin(), rule.facts.end(), fact) != rule.facts.end()) return &rule;
  return nullptr;
}

StaticRules parse_static_rules(std::string_view text, const std::string& name) {
  return read_rules(YamlNode::parse(text, name), text);
}

StaticRules load_static_rules(const std::filesystem::path& file) {
  return parse_static_rules(read_file(file), display_path(file));
}

std::vector<FactVerdict> judge_facts(const StaticRules& rules, const FactsEntry* accepted,
                                     const FactsEntry& observed) {
  static const std::map<std::string, Facts> kNone;
  const std::map<std::string, Facts>& before = accepted == nullptr ? kNone : accepted->parts;
  std::set<std::pair<std::string, std::string>> names;
  for (const auto* parts : {&before, &observed.parts})
    for (const auto& [part, facts] : *parts)
      for (const auto& [fact, value] : facts) names.emplace(part, fact);
  std::vector<FactVerdict> verdicts;
  for (const auto& [part, fact] : names)
    if (const StaticRule* rule = rules.find(fact))
      verdicts.push_back(judge_fact(*rule, part, fact, value_in(before, part, fact),
                                    value_in(observed.parts, part, fact)));
  return verdicts;
}

}  // namespace fusetune

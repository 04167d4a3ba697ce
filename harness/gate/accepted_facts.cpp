#include "harness/gate/accepted_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "harness/base/files.hpp"
#include "harness/spec/yaml.hpp"
#include "harness/table/quote.hpp"

namespace fusetune {

namespace {

constexpr std::int64_t kAcceptedFormat = 1;

void write_entry(const FactsEntry& entry, std::string& out) {
  out += fmt::format("  - geometry: {}\n", yaml_string(entry.geometry));
  out += fmt::format("    variant: {}\n", yaml_string(entry.variant));
  if (!entry.code_identity.empty())
    out += fmt::format("    code_identity: {}\n", yaml_string(entry.code_identity));
  out += "    facts:\n";
  for (const auto& [part, facts] : entry.parts) {
    std::string values;
    for (const auto& [fact, value] : facts)
      values += fmt::format("{}{}: {}", values.empty() ? "" : ", ", fact, value);
    out += fmt::format("      {}: {{{}}}\n", yaml_string(part), values);
  }
}

Facts read_facts(const YamlNode& node) {
  node.allow_keys(static_fact_names(), "fact");
  Facts facts;
  for (const auto& [name, value] : node.entries()) {
    const std::int64_t number = value.as_int();
    if (number < 0 || number > kFactMax) value.fail("a fact is a number from 0 up");
    facts[name.as_string()] = number;
  }
  return facts;
}

FactsEntry read_entry(const YamlNode& node) {
  node.allow_keys({"geometry", "variant", "code_identity", "facts"}, "key of accepted facts");
  FactsEntry entry;
  entry.geometry = node.at("geometry").as_string();
  entry.variant = node.at("variant").as_string();
  if (const auto identity = node.find("code_identity")) entry.code_identity = identity->as_string();
  for (const auto& [part, facts] : node.at("facts").entries())
    entry.parts[part.as_string()] = read_facts(facts);
  if (entry.parts.empty()) node.fail("an entry without facts accepts nothing");
  return entry;
}

AcceptedFacts read_accepted(const YamlNode& root) {
  root.allow_keys({"accepted_facts", "sweep", "target", "compiler", "entries"},
                  "key of accepted facts");
  if (root.at("accepted_facts").as_int() != kAcceptedFormat)
    root.at("accepted_facts").fail(fmt::format("this version reads format {}", kAcceptedFormat));
  AcceptedFacts accepted;
  accepted.sweep = root.at("sweep").as_string();
  accepted.target = root.at("target").as_string();
  if (const auto compiler = root.find("compiler")) accepted.compiler = compiler->as_string();
  std::set<std::pair<std::string, std::string>> seen;
  for (const YamlNode& node : root.at("entries").items()) {
    FactsEntry entry = read_entry(node);
    if (!seen.emplace(entry.geometry, entry.variant).second)
      node.fail("this geometry and variant are there twice");
    accepted.entries.push_back(std::move(entry));
  }
  return accepted;
}

std::string name_of(const FactsEntry& entry) {
  return fmt::format("{} {}", entry.geometry, entry.variant);
}

/// The facts that differ, or that the code does and none of its facts.
std::string difference(const FactsEntry& before, const FactsEntry& after) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  for (const auto& [part, facts] : after.parts) {
    const auto old = before.parts.find(part);
    if (old == before.parts.end()) {
      add("new entry " + part);
      continue;
    }
    for (const auto& [fact, value] : facts) {
      const auto known = old->second.find(fact);
      if (known == old->second.end())
        add(fmt::format("{} of {} {}", fact, part, value));
      else if (known->second != value)
        add(fmt::format("{} of {} {} -> {}", fact, part, known->second, value));
    }
    for (const auto& [fact, value] : old->second)
      if (facts.count(fact) == 0) add(fmt::format("{} of {} no longer told", fact, part));
  }
  for (const auto& [part, facts] : before.parts)
    if (after.parts.count(part) == 0) add("no entry " + part);
  if (text.empty()) text = "other code, the same facts";
  return text;
}

}  // namespace

const FactsEntry* AcceptedFacts::find(std::string_view geometry, std::string_view variant) const {
  for (const FactsEntry& entry : entries)
    if (entry.geometry == geometry && entry.variant == variant) return &entry;
  return nullptr;
}

std::filesystem::path accepted_path(const std::filesystem::path& folder, std::string_view sweep,
                                    std::string_view target) {
  return folder / sweep / fmt::format("{}.yaml", target);
}

std::string accepted_text(const AcceptedFacts& accepted) {
  std::string out =
      "# Accepted by `fusetune gate --static --accept`, which rewrites this file; the gate "
      "compares "
      "with it.\n";
  out += fmt::format("accepted_facts: {}\nsweep: {}\ntarget: {}\n", kAcceptedFormat,
                     yaml_string(accepted.sweep), yaml_string(accepted.target));
  if (!accepted.compiler.empty())
    out += fmt::format("compiler: {}\n", yaml_string(accepted.compiler));
  std::vector<const FactsEntry*> sorted;
  for (const FactsEntry& entry : accepted.entries) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(), [](const FactsEntry* a, const FactsEntry* b) {
    return std::tie(a->geometry, a->variant) < std::tie(b->geometry, b->variant);
  });
  out += sorted.empty() ? "entries: []\n" : "entries:\n";
  for (const FactsEntry* entry : sorted) write_entry(*entry, out);
  return out;
}

AcceptedFacts parse_accepted(std::string_view text, const std::string& name) {
  return read_accepted(YamlNode::parse(text, name));
}

AcceptedFacts load_accepted(const std::filesystem::path& file) {
  return parse_accepted(read_file(file), display_path(file));
}

std::vector<std::string> changes_of(const AcceptedFacts& before, const AcceptedFacts& after) {
  std::vector<std::string> changes;
  for (const FactsEntry& entry : after.entries) {
    const FactsEntry* old = before.find(entry.geometry, entry.variant);
    if (old == nullptr)
      changes.push_back("+ " + name_of(entry));
    else if (*old != entry)
      changes.push_back(fmt::format("~ {}: {}", name_of(entry), difference(*old, entry)));
  }
  for (const FactsEntry& entry : before.entries)
    if (after.find(entry.geometry, entry.variant) == nullptr)
      changes.push_back("- " + name_of(entry));
  return changes;
}

}  // namespace fusetune

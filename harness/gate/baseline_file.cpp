#include "harness/gate/baseline_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/spec/yaml.hpp"
#include "harness/table/quote.hpp"
#include "harness/table/seal.hpp"

namespace fusetune {

namespace {

constexpr std::int64_t kBaselineFormat = 1;

using AcceptanceKey = decltype(Acceptance().key());

void write_snapshot(std::string& out, const std::string& id, const Snapshot& snapshot) {
  out += fmt::format("  - id: {}\n    family: {}\n    folder: {}\n    files:\n", id,
                     yaml_string(snapshot.family), yaml_string(snapshot.folder));
  for (const Snapshot::File& file : snapshot.files)
    out += fmt::format("      - {{name: {}, content: {}}}\n", yaml_string(file.name), file.content);
}

void write_acceptance(std::string& out, const Acceptance& accepted) {
  out += fmt::format(
      "  - device: {}\n    target: {}\n    compiler: {}\n    harness_version: {}\n    "
      "conditions: {}\n",
      yaml_string(accepted.device), yaml_string(accepted.target), yaml_string(accepted.compiler),
      yaml_string(accepted.harness_version), yaml_string(accepted.conditions.dump()));
}

Snapshot read_snapshot(const YamlNode& node, std::string& id) {
  node.allow_keys({"id", "family", "folder", "files"}, "key of a source");
  Snapshot snapshot;
  snapshot.family = node.at("family").as_string();
  snapshot.folder = node.at("folder").as_string();
  for (const YamlNode& file : node.at("files").items()) {
    file.allow_keys({"name", "content"}, "key of a file");
    snapshot.files.push_back({file.at("name").as_string(), file.at("content").as_string()});
    const std::string& content = snapshot.files.back().content;
    if (content.size() != kSealPlace.size() ||
        content.find_first_not_of("0123456789abcdef") != std::string::npos)
      file.at("content").fail("contents are named by 32 hexadecimal digits");
  }
  std::sort(snapshot.files.begin(), snapshot.files.end());
  id = node.at("id").as_string();
  if (id != snapshot.id()) node.at("id").fail("the id is not that of the files");
  return snapshot;
}

Acceptance read_acceptance(const YamlNode& node) {
  node.allow_keys({"device", "target", "compiler", "harness_version", "conditions"},
                  "key of an acceptance");
  Acceptance accepted;
  accepted.device = node.at("device").as_string();
  accepted.target = node.at("target").as_string();
  accepted.compiler = node.at("compiler").as_string();
  accepted.harness_version = node.at("harness_version").as_string();
  accepted.conditions = node.at("conditions").as_json("the conditions");
  return accepted;
}

BaselineCase read_case(const YamlNode& node, const BaselineFile& baseline,
                       const std::vector<Acceptance>& accepted) {
  node.allow_keys({"case", "variant", "source", "code", "accepted"}, "key of a case");
  BaselineCase one;
  one.case_key = node.at("case").as_string();
  one.variant_key = node.at("variant").as_string();
  one.snapshot = node.at("source").as_string();
  if (baseline.snapshots.count(one.snapshot) == 0)
    node.at("source").fail("there is no source of this id");
  one.code_identity = node.at("code").as_string();
  const YamlNode place = node.at("accepted");
  if (place.as_int() < 0 || place.as_int() >= std::ssize(accepted))
    place.fail(fmt::format("there are {} acceptances", accepted.size()));
  one.accepted = accepted[static_cast<std::size_t>(place.as_int())];
  return one;
}

}  // namespace

const BaselineCase* BaselineFile::find(const std::string& case_key) const {
  const auto found = cases.find(case_key);
  return found == cases.end() ? nullptr : &found->second;
}

SourceFolder sources_of(const std::filesystem::path& file) {
  return SourceFolder(file.string() + ".sources");
}

std::string to_yaml(const BaselineFile& baseline) {
  std::set<std::string> needed;
  std::map<AcceptanceKey, Acceptance> acceptances;
  for (const auto& [key, one] : baseline.cases) {
    needed.insert(one.snapshot);
    acceptances.emplace(one.accepted.key(), one.accepted);
  }
  std::string out =
      "# The variants that `fusetune gate` compares with; their sources lie beside it. Written by\n"
      "# `fusetune baseline accept`: DO NOT EDIT.\n";
  out += fmt::format("baseline: {}\nchecksum: {}\n", kBaselineFormat, kSealPlace);
  out += "accepted:\n";
  for (const auto& [key, accepted] : acceptances) write_acceptance(out, accepted);
  out += "sources:\n";
  for (const auto& [id, snapshot] : baseline.snapshots)
    if (needed.count(id) != 0) write_snapshot(out, id, snapshot);
  out += "cases:\n";
  for (const auto& [key, one] : baseline.cases)
    out += fmt::format("  - {{case: {}, variant: {}, source: {}, code: {}, accepted: {}}}\n",
                       yaml_string(key), yaml_string(one.variant_key), one.snapshot,
                       yaml_string(one.code_identity),
                       std::distance(acceptances.begin(), acceptances.find(one.accepted.key())));
  return sealed(std::move(out));
}

BaselineFile parse_baseline(std::string_view text, const std::string& name) {
  const YamlNode root = YamlNode::parse(text, name);
  if (!root.is_map()) root.fail("a baseline is a map");
  root.allow_keys({"baseline", "checksum", "accepted", "sources", "cases"}, "key of a baseline");
  const YamlNode format = root.at("baseline");
  if (format.as_int() != kBaselineFormat)
    format.fail(fmt::format("this version reads baselines of format {}", kBaselineFormat));
  if (const std::string problem = seal_problem(text); !problem.empty())
    root.at("checksum").fail(problem + "; restore the file, or accept the baseline again");
  std::vector<Acceptance> accepted;
  for (const YamlNode& node : root.at("accepted").items())
    accepted.push_back(read_acceptance(node));
  BaselineFile baseline;
  for (const YamlNode& node : root.at("sources").items()) {
    std::string id;
    Snapshot snapshot = read_snapshot(node, id);
    baseline.snapshots.emplace(std::move(id), std::move(snapshot));
  }
  for (const YamlNode& node : root.at("cases").items()) {
    BaselineCase one = read_case(node, baseline, accepted);
    const std::string key = one.case_key;
    if (!baseline.cases.emplace(key, std::move(one)).second)
      node.at("case").fail("this case stands twice");
  }
  return baseline;
}

BaselineFile read_baseline(const std::filesystem::path& file) {
  return parse_baseline(read_file(file), display_path(file));
}

void write_baseline(const BaselineFile& baseline, const std::filesystem::path& file) {
  write_file_atomic(file, to_yaml(baseline));
  std::vector<Snapshot> needed;
  for (const auto& [key, one] : baseline.cases)
    needed.push_back(baseline.snapshots.at(one.snapshot));
  sources_of(file).keep_only(needed);
}

std::vector<std::string> differences(const BaselineFile& from, const BaselineFile& to) {
  std::vector<std::string> lines;
  for (const auto& [key, old] : from.cases) {
    const BaselineCase* now = to.find(key);
    if (now == nullptr) {
      lines.push_back(fmt::format("- {} {}", key, old.variant_key));
      continue;
    }
    std::string changed;
    const auto add = [&changed](const std::string& text) {
      changed += (changed.empty() ? "" : ", ") + text;
    };
    if (now->variant_key != old.variant_key)
      add(fmt::format("variant {} to {}", old.variant_key, now->variant_key));
    if (now->snapshot != old.snapshot) add("source");
    // The same code may come of another source, and other code of the same.
    if (now->code_identity != old.code_identity) add("code");
    if (now->accepted.key() != old.accepted.key()) add("accepted elsewhere");
    if (!changed.empty()) lines.push_back(fmt::format("~ {}: {}", key, changed));
  }
  for (const auto& [key, now] : to.cases)
    if (from.find(key) == nullptr) lines.push_back(fmt::format("+ {} {}", key, now.variant_key));
  return lines;
}

}  // namespace fusetune

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "harness/base/files.hpp"
#include "harness/base/hash.hpp"
#include "harness/spec/keys.hpp"
#include "harness/spec/sweep_reader.hpp"

namespace fusetune {

namespace {

/// "hip:0", "simulated", or a target of the host. Other devices may come; a typing error may not.
void require_device(const YamlNode& node) {
  const std::string name = node.as_string();
  const std::string kind = name.substr(0, name.find(':'));
  if (kind == "hip" || kind == "simulated" || kind == "host") return;
  std::vector<std::string> known = {"host", "hip:0", "simulated"};
  for (const std::string& target : known_targets())
    if (target.starts_with("host")) known.push_back(target);
  if (std::find(known.begin(), known.end(), name) == known.end())
    node.fail(unknown_name("device", name, known));
}

void require_target(const YamlNode& node) {
  try {
    parse_target(node.as_string());
  } catch (const UserError& error) {
    node.fail(error.what());
  }
}

MeasureChoice read_measure(const YamlNode& node) {
  node.allow_keys(sweep_keys().at("measure"), "key of measure");
  MeasureChoice measure;
  if (const auto data = node.find("data")) measure.data = data->as_one_of({"cold", "hot"}, "data");
  if (const auto budget = node.find("budget_s")) {
    measure.budget_s = budget->as_double();
    if (!std::isfinite(measure.budget_s) || measure.budget_s <= 0)
      budget->fail("a budget is a time above 0 seconds");
  }
  if (const auto cutoff = node.find("probe_cutoff")) {
    measure.probe_cutoff = cutoff->as_double();
    if (!std::isfinite(measure.probe_cutoff) || measure.probe_cutoff < 1)
      cutoff->fail("a probe_cutoff is a ratio to the best probe, 1 or above");
  }
  return measure;
}

SearchChoice read_search(const YamlNode& node) {
  node.allow_keys(sweep_keys().at("search"), "key of search");
  SearchChoice search;
  search.strategy =
      *strategy_from_string(node.at("strategy").as_one_of(strategy_names(), "strategy"));
  for (const char* key : {"evaluations", "seed"})
    if (const auto given = node.find(key); given && search.is_exhaustive())
      given->fail(
          fmt::format("an exhaustive search tries every variant: {} says nothing of it", key));
  if (const auto evaluations = node.find("evaluations")) {
    search.evaluations = evaluations->as_int();
    if (search.evaluations < 1) evaluations->fail("evaluations are a number of variants from 1 up");
  }
  if (const auto seed = node.find("seed")) {
    search.seed = seed->as_int();
    if (search.seed < 0) seed->fail("a seed is a number from 0 up");
  }
  return search;
}

class SweepReader {
 public:
  Sweep read(std::string_view text, const std::filesystem::path& file) {
    sweep_.file = std::filesystem::absolute(file).lexically_normal();
    const YamlNode root = read_entries(text, sweep_.file);
    sweep_.name = root.at("sweep").as_string();
    const YamlNode device = root.at("device");
    require_device(device);
    sweep_.device = device.as_string();
    if (const auto targets = root.find("also_compile")) {
      for (const YamlNode& target : targets->items()) {
        require_target(target);
        sweep_.also_compile.push_back(target.as_string());
      }
    }
    if (const auto space = root.find("space"))
      sweep_.space = parse_space(space->as_string(), space->mark());
    if (const auto search = root.find("search")) sweep_.search = read_search(*search);
    if (const auto measure = root.find("measure")) sweep_.measure = read_measure(*measure);
    if (sweep_.entries.empty()) root.fail("a sweep without families measures nothing");
    sweep_.content_hash = hash_hex(texts_);
    return std::move(sweep_);
  }

 private:
  /// Entries of the included files first, then the file's own.
  YamlNode read_entries(std::string_view text, const std::filesystem::path& file) {
    texts_ += std::to_string(text.size()) + ":";
    texts_ += text;
    const YamlNode root = YamlNode::parse(text, display_path(file));
    root.allow_keys(sweep_keys().at("sweep"), "key of a sweep");
    root.at("sweep").as_string();
    open_.push_back(file);
    if (const auto include = root.find("include"))
      for (const YamlNode& item : include->items()) read_included(item, file.parent_path());
    if (const auto families = root.find("families"))
      for (const YamlNode& item : families->items())
        sweep_.entries.push_back(SweepEntryReader(item, file.parent_path()).read());
    open_.pop_back();
    return root;
  }

  void read_included(const YamlNode& item, const std::filesystem::path& directory) {
    const auto file = std::filesystem::absolute(directory / item.as_string()).lexically_normal();
    if (std::find(open_.begin(), open_.end(), file) != open_.end()) {
      std::vector<std::string> names;
      for (const auto& one : open_) names.push_back(one.filename().string());
      item.fail(fmt::format("{} includes itself: {} -> {}", file.filename().string(),
                            fmt::join(names, " -> "), file.filename().string()));
    }
    if (!std::filesystem::is_regular_file(file))
      item.fail(fmt::format("there is no file {}", display_path(file)));
    read_entries(read_file(file), file);
  }

  Sweep sweep_;
  std::string texts_;
  std::vector<std::filesystem::path> open_;  ///< from the sweep to the file being read
};

}  // namespace

std::string SpaceChoice::text() const {
  switch (kind) {
    case Kind::full:
      return "full";
    case Kind::pairwise:
      return "pairwise";
    case Kind::count:
      return std::to_string(count);
  }
  return "";
}

std::string SearchChoice::text() const {
  if (is_exhaustive()) return "exhaustive";
  return fmt::format("{}, {} evaluations, seed {}", to_string(strategy), evaluations, seed);
}

SpaceChoice parse_space(std::string_view text, const Mark& mark) {
  SpaceChoice choice;
  if (text == "full") return choice;
  choice.kind = SpaceChoice::Kind::pairwise;
  if (text == "pairwise") return choice;
  choice.kind = SpaceChoice::Kind::count;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, choice.count);
  if (error != std::errc{} || stop != end || choice.count < 1 || text.front() == '0')
    throw UserError(mark, fmt::format("'{}' is no space: full, pairwise or a number of variants "
                                      "from 1 up",
                                      text));
  return choice;
}

Sweep load_sweep(const std::filesystem::path& file) { return parse_sweep(read_file(file), file); }

Sweep parse_sweep(std::string_view text, const std::filesystem::path& file) {
  return SweepReader().read(text, file);
}

void keep_families(Sweep& sweep, const std::vector<std::string>& families) {
  if (families.empty()) return;
  std::erase_if(sweep.entries, [&families](const SweepEntry& entry) {
    return std::find(families.begin(), families.end(), entry.family->name) == families.end();
  });
}

}  // namespace fusetune

#include "harness/import/candidates.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/spec/models.hpp"
#include "harness/spec/plan.hpp"

namespace fusetune {

namespace {

/// Nothing where the record's parameters are not the axes of the tuned implementation.
std::optional<Variant> variant_of(const ImportedRecord& record, const Family& family) {
  if (!record.implementation.empty() && record.implementation != family.tuned) return std::nullopt;
  const std::vector<std::string>& axes = family.find_implementation(family.tuned)->axes;
  if (record.configuration.size() != axes.size()) return std::nullopt;
  std::vector<std::string> parts;
  for (const auto& [name, value] : record.configuration.items()) {
    if (std::find(axes.begin(), axes.end(), name) == axes.end()) return std::nullopt;
    parts.push_back(name + "=" + (value.is_string() ? value.get<std::string>() : value.dump()));
  }
  try {
    return parse_variant_key(family, fmt::format("{}", fmt::join(parts, ",")));
  } catch (const UserError&) {
    return std::nullopt;  // a value that its axis cannot have
  }
}

std::string condition_of(const Variant& variant) {
  std::vector<std::string> parts;
  for (const auto& [axis, value] : variant.axes)
    parts.push_back(fmt::format("{} == {}", axis, to_string(value)));
  return fmt::format("({})", fmt::join(parts, " && "));
}

/// Every value that some candidate has, in order.
std::string axes_text(const std::vector<Variant>& variants) {
  std::map<std::string, std::set<std::string>> values;
  for (const Variant& variant : variants)
    for (const auto& [axis, value] : variant.axes) values[axis].insert(to_string(value));
  std::string text;
  for (const auto& [axis, of_axis] : values)
    text += fmt::format("      {}: [{}]\n", axis, fmt::join(of_axis, ", "));
  return text;
}

std::string shape_text(const Case& which) {
  const Family& family = *which.geometry.family;
  std::vector<std::string> symbols, options, dtypes, runtime, strides, scalars;
  for (const std::string& symbol : family.static_symbols())
    symbols.push_back(fmt::format("{}: {}", symbol, to_string(which.geometry.statics.at(symbol))));
  for (const OptionDecl& option : family.options)
    options.push_back(
        fmt::format("{}: {}", option.name, to_string(which.geometry.statics.at(option.name))));
  for (const auto& [name, dtype] : which.geometry.dtypes)
    dtypes.push_back(fmt::format("{}: {}", name, to_string(dtype)));
  for (const auto& [name, value] : which.runtime)
    if (name != family.rows) runtime.push_back(fmt::format("{}: [{}]", name, to_string(value)));
  for (const auto& [name, elements] : which.row_strides)
    strides.push_back(fmt::format("{}: [{}]", name, elements));
  for (const auto& [name, value] : which.scalars)
    scalars.push_back(fmt::format("{}: [{}]", name, Json(value).dump()));
  const auto line = [](const char* name, const std::vector<std::string>& parts) {
    return parts.empty() ? std::string()
                         : fmt::format("    {}: {{{}}}\n", name, fmt::join(parts, ", "));
  };
  return fmt::format("    symbols: [{{{}}}]\n", fmt::join(symbols, ", ")) +
         line("options", options) + line("dtypes", dtypes) + line("runtime", runtime) +
         line("strides", strides) + line("scalars", scalars) +
         fmt::format("    {}: {{{}: 1}}\n", family.rows, which.rows());
}

/// What a sweep cannot say would race something else than was asked for.
void require_case(const std::string& text, const Case& which, const std::string& device) {
  const Sweep sweep = parse_sweep(text, "candidates.yaml");
  const Target target = parse_target(device.starts_with("hip:") ? "gfx942" : device);
  const Plan plan = make_plan(sweep, Models::load_default(), target);
  for (const PlannedGeometry& geometry : plan.geometries)
    for (const PlannedCase& one : geometry.cases)
      if (one.which.key() == which.key()) return;
  throw UserError(fmt::format("a sweep cannot say the case {}", which.key()));
}

/// The fastest of each problem, then the second of each, and so on: times of different problems
/// do not compare.
std::vector<const ImportedRecord*> by_rank(const ImportedFile& file) {
  std::map<std::string, std::size_t> seen;
  std::vector<std::pair<std::size_t, const ImportedRecord*>> ranked;
  for (const ImportedRecord* record : by_time(file))
    ranked.emplace_back(
        seen[record->problem.dump(-1, ' ', false, Json::error_handler_t::replace)]++, record);
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<const ImportedRecord*> records;
  for (const auto& [rank, record] : ranked) records.push_back(record);
  return records;
}

}  // namespace

Candidates candidates_of(const ImportedFile& file, const Family& family, std::size_t most) {
  std::vector<const ImportedRecord*> records = by_rank(file);
  if (records.empty())
    for (const ImportedRecord& record : file.records)
      if (record.status == "ok") records.push_back(&record);
  Candidates candidates;
  std::set<std::string> known;
  for (const ImportedRecord* record : records) {
    const std::optional<Variant> variant = variant_of(*record, family);
    if (!variant)
      ++candidates.strangers;
    else if (candidates.variants.size() < most && known.insert(variant->key(family)).second)
      candidates.variants.push_back(*variant);
  }
  return candidates;
}

std::string candidate_sweep(const Candidates& candidates, const Case& which,
                            const std::string& device, const ImportedFile& from) {
  const Family& family = *which.geometry.family;
  if (candidates.variants.empty())
    throw UserError(fmt::format("{}: none of its {} records is a variant of {}, whose axes are: {}",
                                from.name, from.records.size(), family.name,
                                fmt::join(family.find_implementation(family.tuned)->axes, ", ")));
  std::vector<std::string> conditions;
  for (const Variant& variant : candidates.variants) conditions.push_back(condition_of(variant));
  std::string text = fmt::format(
      "# Variants that {} results name, to be raced here. Their times are not in it.\n"
      "sweep: imported-{}\ndevice: {}\nspace: full\nfamilies:\n  - family: {}\n",
      from.format, family.name, device, family.name);
  text += shape_text(which);
  text += "    axes:\n" + axes_text(candidates.variants);
  text += fmt::format(
      "    filter:\n      - rule: \"{}\"\n        reason: the imported results do not name it\n",
      fmt::join(conditions, " || "));
  require_case(text, which, device);
  return text;
}

}  // namespace fusetune

#include "harness/report/heat_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>

namespace fusetune {

namespace {

bool is_number(const std::string& text, std::int64_t& value) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && rest == text.data() + text.size();
}

bool value_less(const std::string& a, const std::string& b) {
  std::int64_t one = 0, two = 0;
  const bool first = is_number(a, one), second = is_number(b, two);
  if (first && second) return one < two;
  return first != second ? first : a < b;
}

std::string value_of(const KnownVariant& variant, const std::string& axis) {
  const auto at = variant.axes.find(axis);
  return at == variant.axes.end() ? "" : at->second;
}

void add_to_cell(const KnownVariant& variant, HeatCell& cell) {
  if (variant.timed != nullptr) {
    ++cell.timed;
    if (cell.kind == HeatCell::Kind::timed && cell.us <= variant.timed->us) return;
    cell.kind = HeatCell::Kind::timed;
    cell.over_best = variant.timed->over_best;
    cell.us = variant.timed->us;
    cell.best = variant.key;
    cell.standing = variant.timed->standing;
  } else if (variant.fate != nullptr) {
    if (cell.failed++ == 0) cell.fate = *variant.fate;
    if (cell.kind == HeatCell::Kind::timed) return;
    cell.kind = HeatCell::Kind::failed;
    if (cell.best.empty()) cell.best = variant.key;
  } else if (cell.kind == HeatCell::Kind::untried) {
    cell.kind = HeatCell::Kind::unraced;
    cell.best = variant.key;
  }
}

/// "a=1,b=2" of "family(a=1,b=2)".
std::string parts_of(const std::string& key) {
  const std::size_t open = key.find('(');
  if (open == std::string::npos || !key.ends_with(')')) return "";
  return key.substr(open + 1, key.size() - open - 2);
}

/// How many times as slow the best of the worst value is.
double effect_of(const std::vector<KnownVariant>& variants, const std::string& axis) {
  std::map<std::string, double> best;
  for (const KnownVariant& variant : variants) {
    if (variant.timed == nullptr) continue;
    const auto [at, is_new] = best.try_emplace(value_of(variant, axis), variant.timed->us);
    if (!is_new) at->second = std::min(at->second, variant.timed->us);
  }
  if (best.size() < 2) return best.empty() ? 0 : 1;
  double low = std::numeric_limits<double>::infinity(), high = 0;
  for (const auto& [value, us] : best) {
    low = std::min(low, us);
    high = std::max(high, us);
  }
  return high / low;
}

/// "unfused, the baseline: 1.49".
std::string baseline_text(const ReportGeometry& geometry, const ReportCase& shown) {
  for (const TimedVariant& timed : shown.timed)
    if (timed.is_baseline)
      return fmt::format("{}, the baseline: {:.2f}", geometry.baseline, timed.over_best);
  return "";
}

}  // namespace

std::map<std::string, std::string> axes_of_key(const std::string& key) {
  std::map<std::string, std::string> axes;
  for (std::size_t at = 0; at < key.size();) {
    const std::size_t end = std::min(key.find(',', at), key.size());
    const std::size_t equals = key.find('=', at);
    if (equals < end) axes[key.substr(at, equals - at)] = key.substr(equals + 1, end - equals - 1);
    at = end + 1;
  }
  return axes;
}

std::vector<KnownVariant> known_variants(const ReportGeometry& geometry, const ReportCase& shown) {
  std::vector<KnownVariant> variants;
  std::set<std::string> seen;
  const auto add = [&](const std::string& key, const TimedVariant* timed, const VariantFate* fate) {
    KnownVariant one{axes_of_key(key), key, timed, fate};
    if (one.axes.count("implementation") == 0 && seen.insert(key).second)
      variants.push_back(std::move(one));
  };
  for (const TimedVariant& timed : shown.timed) add(timed.key, &timed, nullptr);
  for (const auto& [key, fate] : shown.fates) add(key, nullptr, &fate);
  for (const auto& [key, fate] : geometry.fates) add(key, nullptr, &fate);
  for (const std::string& key : geometry.sound) add(key, nullptr, nullptr);
  return variants;
}

std::map<std::string, std::vector<std::string>> axis_values(
    const std::vector<KnownVariant>& variants) {
  std::map<std::string, std::vector<std::string>> values;
  for (const KnownVariant& variant : variants)
    for (const auto& [axis, value] : variant.axes) {
      std::vector<std::string>& list = values[axis];
      if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
    }
  for (auto& [axis, list] : values) std::sort(list.begin(), list.end(), value_less);
  return values;
}

std::pair<std::string, std::string> leading_axes(const ReportGeometry& geometry,
                                                 const ReportCase& shown) {
  const std::vector<KnownVariant> variants = known_variants(geometry, shown);
  std::vector<std::pair<double, std::string>> effects;
  for (const auto& [axis, values] : axis_values(variants))
    if (values.size() > 1) effects.emplace_back(effect_of(variants, axis), axis);
  if (effects.size() < 2) return {};
  std::stable_sort(effects.begin(), effects.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  return {effects[1].second, effects[0].second};
}

HeatMap heat_map(const ReportGeometry& geometry, const ReportCase& shown, const std::string& y_axis,
                 const std::string& x_axis) {
  const std::vector<KnownVariant> variants = known_variants(geometry, shown);
  auto values = axis_values(variants);
  HeatMap map{x_axis, y_axis, values[x_axis], values[y_axis], {}, baseline_text(geometry, shown)};
  map.cells.resize(map.x_values.size() * map.y_values.size());
  const auto place = [](const std::vector<std::string>& list, const std::string& value) {
    return static_cast<std::size_t>(std::find(list.begin(), list.end(), value) - list.begin());
  };
  for (const KnownVariant& variant : variants) {
    const std::size_t x = place(map.x_values, value_of(variant, x_axis));
    const std::size_t y = place(map.y_values, value_of(variant, y_axis));
    if (x < map.x_values.size() && y < map.y_values.size())
      add_to_cell(variant, map.cells[y * map.x_values.size() + x]);
  }
  return map;
}

std::string failure_word(Status status) {
  switch (status) {
    case Status::compile_error:
    case Status::compiler_crash:
    case Status::compile_timeout:
      return "compile";
    case Status::kernel_timeout:
      return "hang";
    case Status::launch_error:
    case Status::kernel_fault:
    case Status::worker_lost:
      return "crash";
    case Status::unsupported_target:
    case Status::resource_limit:
    case Status::out_of_memory:
    case Status::pruned:
    case Status::skipped:
      return "refused";
    default:
      return "wrong";
  }
}

std::string name_of_case(const ReportGeometry& geometry, const ReportCase& shown) {
  const auto common = axes_of_key(parts_of(geometry.label));
  std::string name;
  for (const auto& [part, value] : axes_of_key(parts_of(shown.label))) {
    const auto at = common.find(part);
    if (at != common.end() && at->second == value) continue;
    name += fmt::format("{}{}={}", name.empty() ? "" : ", ", part, value);
  }
  return name.empty() ? std::to_string(shown.rows) : name;
}

Json heat_map_json(const ReportGeometry& geometry) {
  Json cases = Json::array();
  for (const ReportCase& shown : geometry.cases) {
    Json variants = Json::array();
    const std::vector<KnownVariant> known = known_variants(geometry, shown);
    for (const KnownVariant& variant : known) {
      Json one{{"axes", variant.axes}, {"key", variant.key}};
      if (variant.timed != nullptr) {
        one["us"] = variant.timed->us;
        one["over_best"] = variant.timed->over_best;
        one["standing"] = to_string(variant.timed->standing);
      } else if (variant.fate != nullptr) {
        one["status"] = to_string(variant.fate->status);
        one["word"] = failure_word(variant.fate->status);
        one["step"] = variant.fate->step;
        one["message"] = variant.fate->message;
      }
      variants.push_back(std::move(one));
    }
    Json axes = Json::object();
    for (const auto& [axis, values] : axis_values(known))
      if (values.size() > 1) axes[axis] = values;
    cases.push_back({{"label", shown.label},
                     {"name", name_of_case(geometry, shown)},
                     {"baseline", baseline_text(geometry, shown)},
                     {"variants", std::move(variants)},
                     {"axes", std::move(axes)}});
  }
  return Json{{"cases", std::move(cases)}};
}

}  // namespace fusetune

#include "harness/report/pictures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/report/escape.hpp"
#include "harness/report/heat_map.hpp"

namespace fusetune {

namespace {

class PictureList {
 public:
  void add(const std::string& device, const std::string& kind, const std::string& of, Svg svg) {
    const std::string stem = slug(device) + "-" + kind + "-" + slug(of);
    std::string name = stem;
    for (int number = 2; !names_.insert(name).second; ++number)
      name = fmt::format("{}-{}", stem, number);
    list_.emplace_back(name + ".svg", std::move(svg));
  }
  std::vector<std::pair<std::string, Svg>> take() { return std::move(list_); }

 private:
  std::set<std::string> names_;
  std::vector<std::pair<std::string, Svg>> list_;
};

}  // namespace

std::vector<std::string> families_of(const ReportDevice& device) {
  std::vector<std::string> families;
  for (const ReportGeometry& geometry : device.geometries)
    if (std::find(families.begin(), families.end(), geometry.family) == families.end())
      families.push_back(geometry.family);
  return families;
}

std::string short_label(const ReportGeometry& geometry, std::size_t width) {
  const std::size_t open = geometry.label.find('(');
  std::string text;
  for (const char c : geometry.label.substr(open == std::string::npos ? 0 : open + 1)) {
    if (c == ')') break;
    text += c;
    if (c == ',') text += ' ';
  }
  if (text.empty()) text = "defaults";
  return text.size() <= width ? text : text.substr(0, width - 1) + "\xE2\x80\xA6";
}

const ReportCase* leading_case(const ReportGeometry& geometry) {
  for (auto shown = geometry.cases.rbegin(); shown != geometry.cases.rend(); ++shown)
    if (!shown->timed.empty() || !shown->fates.empty()) return &*shown;
  return geometry.cases.empty() ? nullptr : &geometry.cases.back();
}

std::optional<Svg> variants_picture(const ReportGeometry& geometry, bool alone) {
  const ReportCase* shown = leading_case(geometry);
  if (shown == nullptr) return std::nullopt;
  const auto [y_axis, x_axis] = leading_axes(geometry, *shown);
  if (x_axis.empty()) return std::nullopt;
  const HeatCaption caption = alone
                                  ? HeatCaption{geometry.family + ": time over the fastest variant",
                                                fmt::format("{}, {}", short_label(geometry, 36),
                                                            name_of_case(geometry, *shown))}
                                  : HeatCaption{};
  return heat_map_picture(
      heat_map(geometry, *shown, y_axis, x_axis),
      fmt::format("{}: time over the fastest variant, by {} and {}", shown->label, y_axis, x_axis),
      caption);
}

std::vector<std::pair<std::string, Svg>> all_pictures(const Report& report) {
  PictureList list;
  for (const ReportDevice& device : report.devices) {
    for (const std::string& family : families_of(device)) {
      list.add(device.name, "winners", family, winners_picture(device, family));
      if (auto svg = bandwidth_picture(device, family))
        list.add(device.name, "bandwidth", family, *std::move(svg));
    }
    for (const ReportGeometry& geometry : device.geometries) {
      if (auto svg = time_picture(device, geometry))
        list.add(device.name, "time", geometry.label, *std::move(svg));
      if (auto svg = variants_picture(geometry, true))
        list.add(device.name, "variants", geometry.label, *std::move(svg));
    }
  }
  return list.take();
}

}  // namespace fusetune

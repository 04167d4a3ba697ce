#pragma once
// The variants of one case over two axes: each cell is the best of what has its two values.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "harness/report/report_data.hpp"
#include "harness/report/svg.hpp"

namespace fusetune {

/// Axes of a variant key, by name; an `implementation` among them where it is not the tuned one.
std::map<std::string, std::string> axes_of_key(const std::string& key);

struct HeatCell {
  enum class Kind {
    timed,
    failed,   ///< all that were tried
    unraced,  ///< compiled and proved, but of equal code as another, or not of the wanted bits
    untried   ///< nothing with these values
  } kind = Kind::untried;
  double over_best = 0;  ///< of `best`, over the fastest of the case
  std::string best;      ///< variant key
  double us = 0;
  TimedVariant::Standing standing = TimedVariant::Standing::slower;
  std::int64_t timed = 0, failed = 0;
  VariantFate fate;  ///< of the first that failed
};

struct HeatMap {
  std::string x_axis, y_axis;
  std::vector<std::string> x_values, y_values;
  std::vector<HeatCell> cells;  ///< row by row
  std::string baseline;         ///< what is said of the baseline, which is in no cell; or ""

  const HeatCell& cell(std::size_t x, std::size_t y) const {
    return cells[y * x_values.size() + x];
  }
};

/// Variants of the tuned implementation that are known of a case, with what came of them.
struct KnownVariant {
  std::map<std::string, std::string> axes;
  std::string key;
  const TimedVariant* timed = nullptr;
  const VariantFate* fate = nullptr;  ///< neither: unraced
};
std::vector<KnownVariant> known_variants(const ReportGeometry& geometry, const ReportCase& shown);

/// The values that axes have there, numbers in their order.
std::map<std::string, std::vector<std::string>> axis_values(
    const std::vector<KnownVariant>& variants);

/// The two axes whose values change the best time most, the more important one second (it becomes
/// x); "" where fewer have several values.
std::pair<std::string, std::string> leading_axes(const ReportGeometry& geometry,
                                                 const ReportCase& shown);

HeatMap heat_map(const ReportGeometry& geometry, const ReportCase& shown, const std::string& y_axis,
                 const std::string& x_axis);

/// "compile", "wrong", "crash", "hang" or "refused": the class of a failure in one word.
std::string failure_word(Status status);

/// With two lines above it, of a picture that comes without a page, or without.
struct HeatCaption {
  std::string head, line;
};
Svg heat_map_picture(const HeatMap& map, const std::string& title, const HeatCaption& caption = {});

/// What tells a case from others of its geometry: "tokens=128".
std::string name_of_case(const ReportGeometry& geometry, const ReportCase& shown);

/// What the page's script draws other axes and cases of a geometry from.
Json heat_map_json(const ReportGeometry& geometry);

}  // namespace fusetune

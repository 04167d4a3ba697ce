#include "harness/report/scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fusetune {

namespace {

bool is_positive(double value) { return std::isfinite(value) && value > 0; }

/// `mantissas` of every `step`-th decade that the range holds.
std::vector<double> decade_ticks(const Range& range, const std::vector<int>& mantissas, int step) {
  std::vector<double> ticks;
  const int first = static_cast<int>(std::floor(std::log10(range.low)));
  const int last = static_cast<int>(std::ceil(std::log10(range.high)));
  for (int decade = first; decade <= last; ++decade) {
    if (decade % step != 0) continue;
    for (const int mantissa : mantissas) {
      // A power of ten by division is exact below 1 as well.
      const double power = std::pow(10.0, std::abs(decade));
      const double tick = decade < 0 ? mantissa / power : mantissa * power;
      if (tick >= range.low * (1 - 1e-9) && tick <= range.high * (1 + 1e-9)) ticks.push_back(tick);
    }
  }
  return ticks;
}

}  // namespace

double LogScale::at(double value) const {
  if (!is_positive(value)) return from;
  const double inside = std::clamp(value, low, high);
  return from + (to - from) * std::log(inside / low) / std::log(high / low);
}

Range log_range(const std::vector<double>& values, double margin, double ratio_min) {
  Range range{0, 0};
  for (const double value : values) {
    if (!is_positive(value)) continue;
    range.low = range.low == 0 ? value : std::min(range.low, value);
    range.high = std::max(range.high, value);
  }
  if (range.low == 0) return {1, ratio_min};
  range.low /= margin;
  range.high *= margin;
  const double short_by = ratio_min / (range.high / range.low);
  if (short_by > 1) {
    range.low /= std::sqrt(short_by);
    range.high *= std::sqrt(short_by);
  }
  return range;
}

std::vector<double> log_ticks(const Range& range, std::size_t count_max) {
  std::vector<double> ticks = decade_ticks(range, {1, 2, 5}, 1);
  for (int step = 1; ticks.size() > count_max && step < 64; ++step)
    ticks = decade_ticks(range, {1}, step);
  return ticks;
}

std::string tick_text(double value) { return fmt::format("{:.6g}", value); }

std::string bytes_text(double bytes) {
  const char* unit = "B";
  for (const char* next : {"KiB", "MiB", "GiB", "TiB"}) {
    if (bytes < 1024) break;
    bytes /= 1024;
    unit = next;
  }
  return bytes < 10 && bytes != std::floor(bytes) ? fmt::format("{:.1f} {}", bytes, unit)
                                                  : fmt::format("{:.0f} {}", bytes, unit);
}

std::string us_text(double us) {
  if (!std::isfinite(us)) return "unknown";
  if (us < 9.995) return fmt::format("{:.2f}", us);
  if (us < 99.95) return fmt::format("{:.1f}", us);
  return fmt::format("{:.0f}", us);
}

std::string times_text(double ratio) {
  return std::isfinite(ratio) ? fmt::format("{:.2f}\xC3\x97", ratio) : "unknown";
}

}  // namespace fusetune

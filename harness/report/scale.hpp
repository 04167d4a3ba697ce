#pragma once
// From figures to places on a picture, and where the marks of an axis stand.

#include <string>
#include <vector>

namespace fusetune {

/// A logarithmic axis: [low, high] of the figures onto [from, to] of the picture.
struct LogScale {
  double low = 1, high = 10;
  double from = 0, to = 1;

  /// What is outside of [low, high], or no figure, stands at the nearer end.
  double at(double value) const;
};

/// The least range [low, high] with all positive finite figures, widened by `margin` (1.1: 10 % to
/// either side) and at least `ratio_min` from end to end; [1, ratio_min] of none.
struct Range {
  double low = 1, high = 10;
};
Range log_range(const std::vector<double>& values, double margin, double ratio_min);

/// Round figures within the range, at most `count_max` of them: 1, 2 and 5 of every decade, else
/// the decades, else every second, third, ... decade.
std::vector<double> log_ticks(const Range& range, std::size_t count_max);

/// "0.05", "20", "4096", "1.5e+06": short, and exact for round figures.
std::string tick_text(double value);

/// "64 B", "16 KiB", "3.1 MiB"
std::string bytes_text(double bytes);

/// A time as precise as reading needs: three digits, "1.62", "20.0", "136", "3020".
std::string us_text(double us);

/// "1.49x" with the multiplication sign, two digits behind the point.
std::string times_text(double ratio);

}  // namespace fusetune

// Student's t by the regularised incomplete beta function: no dependency is worth one function.

#include <cmath>
#include <limits>

#include "harness/stats/stats.hpp"

namespace fusetune {

namespace {

double nonzero(double value) {
  constexpr double tiny = 1e-300;
  return std::abs(value) < tiny ? tiny : value;
}

/// Continued fraction of the incomplete beta function (modified Lentz), for x < (a+1)/(a+b+2).
double beta_fraction(double a, double b, double x) {
  double c = 1;
  double d = 1 / nonzero(1 - (a + b) * x / (a + 1));
  double result = d;
  for (int m = 1; m <= 1000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonzero(1 + even * d);
    c = nonzero(1 + even / c);
    result *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonzero(1 + odd * d);
    c = nonzero(1 + odd / c);
    result *= d * c;
    if (std::abs(d * c - 1) < 1e-16) break;
  }
  return result;
}

/// I_x(a, b); `y` is 1 - x, given because the difference would lose its digits.
double incomplete_beta(double a, double b, double x, double y) {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log(y));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, y) / b;
}

/// P(T > t) for t >= 0.
double upper_tail(double t, double df) {
  const double square = t * t;
  return 0.5 * incomplete_beta(0.5 * df, 0.5, df / (df + square), square / (df + square));
}

double density(double t, double df) {
  return std::exp(std::lgamma(0.5 * (df + 1)) - std::lgamma(0.5 * df) -
                  0.5 * (df + 1) * std::log1p(t * t / df)) /
         std::sqrt(df * 3.14159265358979323846);
}

}  // namespace

double student_t_cdf(double t, std::size_t df) {
  if (df == 0 || std::isnan(t)) return std::numeric_limits<double>::quiet_NaN();
  if (std::isinf(t)) return t > 0 ? 1 : 0;
  const double tail = upper_tail(std::abs(t), static_cast<double>(df));
  return t > 0 ? 1 - tail : tail;
}

double student_t_quantile(double p, std::size_t df) {
  if (df == 0 || !(p >= 0 && p <= 1)) return std::numeric_limits<double>::quiet_NaN();
  if (p == 0.5) return 0;
  if (p < 0.5) return -student_t_quantile(1 - p, df);
  if (p == 1) return std::numeric_limits<double>::infinity();
  const auto n = static_cast<double>(df);
  const double tail = 1 - p;
  double low = 0;
  double high = 1;
  while (upper_tail(high, n) > tail) {
    low = high;
    high *= 2;
  }
  double t = 0.5 * (low + high);
  for (int i = 0; i < 200; ++i) {
    const double excess = upper_tail(t, n) - tail;
    (excess > 0 ? low : high) = t;
    double next = t + excess / density(t, n);
    // Newton leaves the bracket where the density is flat; halving always makes progress.
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (std::abs(next - t) <= 1e-14 * t) return next;
    t = next;
  }
  return t;
}

}  // namespace fusetune

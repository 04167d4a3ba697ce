#include "harness/measure/thermometer.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "harness/stats/stats.hpp"

namespace fusetune {

namespace {

constexpr std::int64_t kLeastBytes = 64 << 10;
constexpr double kCopySpanUs = 1000;
constexpr double kCopiesMax = 8;

}  // namespace

Thermometer::Thermometer(Device& device, std::int64_t cache_bytes)
    : device_(&device),
      bytes_(std::max(2 * cache_bytes, kLeastBytes)),
      source_(device, static_cast<std::size_t>(bytes_), Place::low),
      destination_(device, static_cast<std::size_t>(bytes_), Place::low) {
  span_us();  // the first touches the pages
  const double us = span_us();
  if (us > 0) copies_ = static_cast<int>(std::clamp(std::ceil(kCopySpanUs / us), 1.0, kCopiesMax));
}

void Thermometer::copy() {
  device_->copy_within(destination_.pointer(), source_.pointer(), static_cast<std::size_t>(bytes_));
}

double Thermometer::span_us() {
  SpanTicket span = device_->begin_span();
  for (int i = 0; i < copies_; ++i) copy();
  device_->end_span(span);
  SpanTime time;
  return device_->read_span(span, &time).ok() ? time.us / copies_ : 0;
}

double Thermometer::read_us() {
  const std::vector<double> spans{span_us(), span_us(), span_us()};
  return median(spans);
}

}  // namespace fusetune

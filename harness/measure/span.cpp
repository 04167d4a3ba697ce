#include "harness/measure/span.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fusetune {

BoundArm::BoundArm(const RunnableVariant& variant, const Case& which, const Arena& prototype)
    : code_(variant.code), launches_(bind(variant, which, prototype)) {
  for (std::size_t l = 0; l < variant.launches.size(); ++l) {
    const std::vector<Argument>& arguments = variant.launches[l].arguments;
    for (std::size_t a = 0; a < arguments.size(); ++a) {
      if (arguments[a].kind != Argument::Kind::tensor) continue;
      slots_.push_back({l, a, prototype.buffer(arguments[a].name).ordinal});
    }
  }
}

Outcome BoundArm::launch(Device& device, const Ring& ring, std::int64_t set) {
  for (const Slot& slot : slots_)
    launches_[slot.launch].arguments[slot.argument] = ring.data(slot.ordinal, set);
  return enqueue(device, *code_, launches_);
}

Span SpanTimer::run(BoundArm& arm, std::int64_t launches) {
  Span span;
  const std::int64_t first = set_;
  const double begin_us = device_->stamp_us();
  for (std::int64_t i = 0; i < launches && span.outcome.ok(); ++i) {
    span.outcome = arm.launch(*device_, *ring_, set_);
    set_ = set_ + 1 == ring_->sets() ? 0 : set_ + 1;
  }
  span.us = device_->stamp_us() - begin_us;
  if (const Outcome late = device_->synchronize(); span.outcome.ok()) span.outcome = late;
  if (span.outcome.ok() && !(span.us > 0 && std::isfinite(span.us))) {
    span.no_time = true;
    span.outcome = {Status::launch_error,
                    fmt::format("the clock says {} us for {} launches", span.us, launches)};
  }
  // After the span, not before the next: by then the ring has turned and the copies are cold again.
  if (ring_->restores()) ring_->restore(first, launches);
  return span;
}

SpanLength span_length(double us_per_launch, std::int64_t sets, double span_us_min) {
  constexpr double sweep_spans_max = 4;
  const double sweep_us = us_per_launch * static_cast<double>(sets);
  if (sweep_us > sweep_spans_max * span_us_min) {
    return {static_cast<std::int64_t>(std::ceil(span_us_min / us_per_launch)), false};
  }
  return {sets * std::max<std::int64_t>(
                     1, static_cast<std::int64_t>(std::ceil(span_us_min / sweep_us))),
          true};
}

}  // namespace fusetune

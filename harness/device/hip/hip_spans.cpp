#include "harness/device/hip/hip_spans.hpp"

#include <stdexcept>
#include <utility>

#include "harness/device/hip/hip_error.hpp"

namespace fusetune::hip {

HipSpans::Span HipSpans::fresh() {
  if (!idle_.empty()) {
    Span span = std::move(idle_.back());
    idle_.pop_back();
    return span;
  }
  Span span;
  span.place = places_;
  require(hipEventCreate(span.begin.out()), "hipEventCreate");
  require(hipEventCreate(span.end.out()), "hipEventCreate");
  if (has_clock(span)) require(hipEventCreate(span.done.out()), "hipEventCreate");
  places_ += 2;
  return span;
}

bool HipSpans::has_clock(const Span& span) const {
  return clock_ != nullptr && span.place + 1 < CoreClock::kStamps;
}

void HipSpans::stamp(const Span& span, std::size_t which) {
  if (has_clock(span))
    require(clock_->stamp(span.place + which, stream_), "hipModuleLaunchKernel of the core clock");
}

SpanTicket HipSpans::begin() {
  Span span = fresh();
  stamp(span, 0);
  require(hipEventRecord(span.begin.get(), stream_), "hipEventRecord");
  open_.emplace(++last_id_, std::move(span));
  return {last_id_, 0, 0};
}

void HipSpans::end(const SpanTicket& ticket) {
  const Span& span = open_.at(ticket.id);
  require(hipEventRecord(span.end.get(), stream_), "hipEventRecord");
  stamp(span, 1);
  if (has_clock(span)) require(hipEventRecord(span.done.get(), stream_), "hipEventRecord");
}

hipError_t HipSpans::read(const SpanTicket& ticket, SpanTime* time, const char** call) {
  auto node = open_.extract(ticket.id);
  if (node.empty()) throw std::logic_error("a span that was read before");
  const Span& span = node.mapped();
  *call = "hipEventSynchronize";
  const hipEvent_t last = has_clock(span) ? span.done.get() : span.end.get();
  if (const hipError_t error = hipEventSynchronize(last); error != hipSuccess) return error;
  float ms = 0;
  *call = "hipEventElapsedTime";
  if (const hipError_t error = hipEventElapsedTime(&ms, span.begin.get(), span.end.get());
      error != hipSuccess)
    return error;
  time->us = 1000.0 * static_cast<double>(ms);
  time->core_mhz =
      has_clock(span) ? core_mhz(clock_->at(span.place), clock_->at(span.place + 1)) : 0;
  idle_.push_back(std::move(node.mapped()));
  return hipSuccess;
}

}  // namespace fusetune::hip

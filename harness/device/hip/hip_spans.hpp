#pragma once
// Timed spans in a stream: an event at both ends, read once the stream has passed them.

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "harness/device/device.hpp"
#include "harness/device/hip/core_clock.hpp"
#include "harness/device/hip/hip_object.hpp"

namespace fusetune::hip {

class HipSpans {
 public:
  /// `clock` may be nothing: then no span knows how fast the compute units ran.
  HipSpans(hipStream_t stream, std::unique_ptr<CoreClock> clock)
      : stream_(stream), clock_(std::move(clock)) {}

  /// Throw what require() does.
  SpanTicket begin();
  void end(const SpanTicket& ticket);
  /// The first call that failed, and how.
  hipError_t read(const SpanTicket& ticket, SpanTime* time, const char** call);

 private:
  struct Span {
    std::size_t place = 0;  ///< of its first stamp, behind the clock's last for none
    Event begin, end;
    Event done;  ///< the clock's last stamp
  };

  Span fresh();
  bool has_clock(const Span& span) const;
  void stamp(const Span& span, std::size_t which);

  hipStream_t stream_;
  std::unique_ptr<CoreClock> clock_;
  std::vector<Span> idle_;
  std::map<std::int64_t, Span> open_;
  std::int64_t last_id_ = 0;
  std::size_t places_ = 0;  ///< that were given out
};

}  // namespace fusetune::hip

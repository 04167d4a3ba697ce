#include "harness/tune/lost_worker.hpp"

#include <fmt/format.h>

namespace fusetune {

Outcome outcome_of_lost(const JobEnd& end) {
  if (end.how == JobEnd::How::timed_out)
    return {Status::kernel_timeout,
            fmt::format("the kernel did not end, nor on a second try alone within {} s",
                        static_cast<double>(end.limit.count()) / 1000)};
  return {Status::worker_lost,
          fmt::format("the device worker was lost, and again on a second try alone ({})",
                      end.signal != 0 ? fmt::format("signal {}", end.signal)
                                      : fmt::format("exit code {}", end.exit_code))};
}

}  // namespace fusetune

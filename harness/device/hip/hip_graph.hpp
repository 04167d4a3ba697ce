#pragma once
// Launches captured from a stream, which go into it again as one.

#include <functional>
#include <memory>

#include "harness/device/device.hpp"
#include "harness/device/hip/hip_object.hpp"

namespace fusetune::hip {

class HipGraph : public LaunchGraph {
 public:
  /// What `enqueue` puts into the stream; its error ends the capture. On failure nothing, with the
  /// error and the call that had it.
  static std::unique_ptr<HipGraph> capture(hipStream_t stream,
                                           const std::function<hipError_t()>& enqueue,
                                           hipError_t* error, const char** call);

  hipError_t launch(hipStream_t stream) const { return hipGraphLaunch(exec_.get(), stream); }

 private:
  HipGraph() = default;

  GraphExec exec_;
};

}  // namespace fusetune::hip

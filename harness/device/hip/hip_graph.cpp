#include "harness/device/hip/hip_graph.hpp"

namespace fusetune::hip {

std::unique_ptr<HipGraph> HipGraph::capture(hipStream_t stream,
                                            const std::function<hipError_t()>& enqueue,
                                            hipError_t* error, const char** call) {
  *call = "hipStreamBeginCapture";
  *error = hipStreamBeginCapture(stream, hipStreamCaptureModeThreadLocal);
  if (*error != hipSuccess) return nullptr;
  *call = "hipModuleLaunchKernel";
  *error = enqueue();
  // Ended whatever came of it: the stream is of no use while it captures.
  Graph captured;
  const hipError_t ended = hipStreamEndCapture(stream, captured.out());
  if (*error != hipSuccess) return nullptr;
  *call = "hipStreamEndCapture";
  *error = ended;
  if (ended != hipSuccess) return nullptr;
  std::unique_ptr<HipGraph> graph(new HipGraph);
  *call = "hipGraphInstantiate";
  *error = hipGraphInstantiate(graph->exec_.out(), captured.get(), nullptr, nullptr, 0);
  return *error == hipSuccess ? std::move(graph) : nullptr;
}

}  // namespace fusetune::hip

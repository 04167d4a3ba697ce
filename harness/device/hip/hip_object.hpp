#pragma once
// Objects of the runtime that are given back when their owner goes. What a lost device does not
// take back is gone with the process, and nobody is left to be told.

#include <utility>

#include "harness/device/hip/names.hpp"

namespace fusetune::hip {

template <typename Handle, auto kGive>
class Object {
 public:
  Object() = default;
  ~Object() { reset(); }
  Object(Object&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Object& operator=(Object&& other) noexcept {
    reset();
    handle_ = std::exchange(other.handle_, nullptr);
    return *this;
  }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  Handle get() const { return handle_; }
  /// For a call that makes one.
  Handle* out() {
    reset();
    return &handle_;
  }

 private:
  void reset() {
    if (handle_ != nullptr) static_cast<void>(kGive(handle_));
    handle_ = nullptr;
  }

  Handle handle_ = nullptr;
};

inline hipError_t give_stream(hipStream_t stream) { return hipStreamDestroy(stream); }
inline hipError_t give_event(hipEvent_t event) { return hipEventDestroy(event); }
inline hipError_t give_module(hipModule_t module) { return hipModuleUnload(module); }
inline hipError_t give_graph(hipGraph_t graph) { return hipGraphDestroy(graph); }
inline hipError_t give_exec(hipGraphExec_t exec) { return hipGraphExecDestroy(exec); }
inline hipError_t give_memory(void* memory) { return hipFree(memory); }
inline hipError_t give_host_memory(void* memory) { return hipHostFree(memory); }

using Stream = Object<hipStream_t, give_stream>;
using Event = Object<hipEvent_t, give_event>;
using Module = Object<hipModule_t, give_module>;
using Graph = Object<hipGraph_t, give_graph>;
using GraphExec = Object<hipGraphExec_t, give_exec>;
using Memory = Object<void*, give_memory>;
using HostMemory = Object<void*, give_host_memory>;

}  // namespace fusetune::hip

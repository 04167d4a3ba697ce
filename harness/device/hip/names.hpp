#pragma once
// The HIP runtime's names, whichever runtime answers to them: AMD's, or CUDA's under its own.

#ifdef FUSETUNE_HIP_OVER_CUDA

#include <cuda_runtime_api.h>

using hipError_t = cudaError_t;
using hipStream_t = cudaStream_t;
using hipEvent_t = cudaEvent_t;
using hipModule_t = cudaLibrary_t;
using hipFunction_t = cudaKernel_t;
using hipGraph_t = cudaGraph_t;
using hipGraphExec_t = cudaGraphExec_t;
using hipGraphNode_t = cudaGraphNode_t;
using hipDeviceProp_t = cudaDeviceProp;

inline constexpr hipError_t hipSuccess = cudaSuccess;
inline constexpr hipError_t hipErrorNoDevice = cudaErrorNoDevice;
inline constexpr hipError_t hipErrorInsufficientDriver = cudaErrorInsufficientDriver;
inline constexpr hipError_t hipErrorOutOfMemory = cudaErrorMemoryAllocation;
inline constexpr hipError_t hipErrorIllegalAddress = cudaErrorIllegalAddress;
inline constexpr hipError_t hipErrorAssert = cudaErrorAssert;
inline constexpr hipError_t hipErrorECCNotCorrectable = cudaErrorECCUncorrectable;
inline constexpr hipError_t hipErrorLaunchFailure = cudaErrorLaunchFailure;
inline constexpr hipError_t hipErrorLaunchTimeOut = cudaErrorLaunchTimeout;
inline constexpr hipError_t hipErrorLaunchOutOfResources = cudaErrorLaunchOutOfResources;
inline constexpr unsigned hipDeviceScheduleBlockingSync = cudaDeviceScheduleBlockingSync;
inline constexpr unsigned hipStreamNonBlocking = cudaStreamNonBlocking;
inline constexpr auto hipMemcpyHostToDevice = cudaMemcpyHostToDevice;
inline constexpr auto hipMemcpyDeviceToHost = cudaMemcpyDeviceToHost;
inline constexpr auto hipMemcpyDeviceToDevice = cudaMemcpyDeviceToDevice;
inline constexpr unsigned hipHostMallocMapped = cudaHostAllocMapped;
inline constexpr auto hipStreamCaptureModeThreadLocal = cudaStreamCaptureModeThreadLocal;

inline constexpr auto& hipGetErrorName = cudaGetErrorName;
inline constexpr auto& hipGetErrorString = cudaGetErrorString;
inline constexpr auto& hipGetLastError = cudaGetLastError;
inline constexpr auto& hipGetDeviceCount = cudaGetDeviceCount;
inline constexpr auto& hipSetDevice = cudaSetDevice;
inline constexpr auto& hipSetDeviceFlags = cudaSetDeviceFlags;
inline constexpr auto& hipDeviceGetPCIBusId = cudaDeviceGetPCIBusId;
inline constexpr auto& hipDriverGetVersion = cudaDriverGetVersion;
inline constexpr auto& hipRuntimeGetVersion = cudaRuntimeGetVersion;
inline constexpr auto& hipFree = cudaFree;
inline constexpr auto& hipHostFree = cudaFreeHost;
inline constexpr auto& hipMemGetInfo = cudaMemGetInfo;
inline constexpr auto& hipMemcpyAsync = cudaMemcpyAsync;
inline constexpr auto& hipMemsetAsync = cudaMemsetAsync;
inline constexpr auto& hipStreamDestroy = cudaStreamDestroy;
inline constexpr auto& hipStreamSynchronize = cudaStreamSynchronize;
inline constexpr auto& hipDeviceSynchronize = cudaDeviceSynchronize;
inline constexpr auto& hipStreamBeginCapture = cudaStreamBeginCapture;
inline constexpr auto& hipStreamEndCapture = cudaStreamEndCapture;
inline constexpr auto& hipGraphDestroy = cudaGraphDestroy;
inline constexpr auto& hipGraphExecDestroy = cudaGraphExecDestroy;
inline constexpr auto& hipGraphLaunch = cudaGraphLaunch;
inline constexpr auto& hipEventDestroy = cudaEventDestroy;
inline constexpr auto& hipEventSynchronize = cudaEventSynchronize;
inline constexpr auto& hipModuleUnload = cudaLibraryUnload;
inline constexpr auto& hipModuleGetFunction = cudaLibraryGetKernel;

// Overloaded for C++, or with other parameters.
inline hipError_t hipGetDeviceProperties(hipDeviceProp_t* properties, int device) {
  return cudaGetDeviceProperties(properties, device);
}
inline hipError_t hipMalloc(void** pointer, size_t size_bytes) {
  return cudaMalloc(pointer, size_bytes);
}
inline hipError_t hipHostMalloc(void** pointer, size_t size_bytes, unsigned flags) {
  return cudaHostAlloc(pointer, size_bytes, flags);
}
inline hipError_t hipGraphInstantiate(hipGraphExec_t* exec, hipGraph_t graph,
                                      hipGraphNode_t* /*error_node*/, char* /*log*/,
                                      size_t /*log_bytes*/) {
  return cudaGraphInstantiate(exec, graph, 0);
}
inline hipError_t hipStreamCreateWithFlags(hipStream_t* stream, unsigned flags) {
  return cudaStreamCreateWithFlags(stream, flags);
}
inline hipError_t hipEventCreate(hipEvent_t* event) { return cudaEventCreate(event); }
inline hipError_t hipEventRecord(hipEvent_t event, hipStream_t stream) {
  return cudaEventRecord(event, stream);
}
inline hipError_t hipEventElapsedTime(float* ms, hipEvent_t begin, hipEvent_t end) {
  return cudaEventElapsedTime(ms, begin, end);
}
inline hipError_t hipModuleLoadData(hipModule_t* module, const void* image) {
  return cudaLibraryLoadData(module, image, nullptr, nullptr, 0, nullptr, nullptr, 0);
}
inline hipError_t hipModuleLaunchKernel(hipFunction_t function, unsigned grid_x, unsigned grid_y,
                                        unsigned grid_z, unsigned block_x, unsigned block_y,
                                        unsigned block_z, unsigned lds_bytes, hipStream_t stream,
                                        void** arguments, void** /*extra*/) {
  return cudaLaunchKernel(reinterpret_cast<const void*>(function), dim3(grid_x, grid_y, grid_z),
                          dim3(block_x, block_y, block_z), arguments, lds_bytes, stream);
}

#else

#include <hip/hip_runtime_api.h>
// HIP's macro of that name breaks attributes of the standard library (g++ 16).
#undef __noinline__

#endif

// Modules, launches and graphs of the fake runtime, and its compiler.

#include <cstdlib>
#include <cstring>
#include <string>

#include "fake_state.hpp"
#include "hip/hiprtc.h"

using fake_hip::begin;
using fake_hip::created;
using fake_hip::destroyed;
using fake_hip::misuse;
using fake_hip::state;

struct ihipModule_t {
  std::string names;  ///< of its kernels
};
struct ihipModuleSymbol_t {
  double us = 10;
};
struct ihipGraph {};
struct hipGraphExec {};
struct _hiprtcProgram {  // NOLINT: hipRTC's name
  std::string source;
};

namespace {

constexpr double kGraphUs = 5;

/// Kernels live as long as the program, like symbols of a module that stays loaded.
ihipModuleSymbol_t kernel;

}  // namespace

extern "C" {

hipError_t hipModuleLoadData(hipModule_t* module, const void* image) {
  if (const hipError_t error = begin("hipModuleLoadData"); error != hipSuccess) return error;
  *module = new ihipModule_t{static_cast<const char*>(image)};
  created("module");
  return hipSuccess;
}

hipError_t hipModuleUnload(hipModule_t module) {
  const hipError_t error = begin("hipModuleUnload");
  delete module;
  destroyed("module");
  return error;
}

hipError_t hipModuleGetFunction(hipFunction_t* function, hipModule_t module, const char* name) {
  if (const hipError_t error = begin("hipModuleGetFunction"); error != hipSuccess) return error;
  if (module->names.find(name) == std::string::npos) return state().last = hipErrorNotFound;
  *function = &kernel;
  return hipSuccess;
}

hipError_t hipModuleLaunchKernel(hipFunction_t function, unsigned grid_x, unsigned grid_y,
                                 unsigned grid_z, unsigned block_x, unsigned block_y,
                                 unsigned block_z, unsigned /*lds_bytes*/, hipStream_t /*stream*/,
                                 void** /*arguments*/, void** /*extra*/) {
  if (const hipError_t error = begin("hipModuleLaunchKernel"); error != hipSuccess) return error;
  if (grid_x * grid_y * grid_z == 0 || block_x * block_y * block_z == 0)
    return state().last = hipErrorInvalidValue;
  if (!state().capturing) state().now_us += function->us;
  return hipSuccess;
}

hipError_t hipStreamBeginCapture(hipStream_t /*stream*/, hipStreamCaptureMode /*mode*/) {
  if (const hipError_t error = begin("hipStreamBeginCapture"); error != hipSuccess) return error;
  if (state().capturing) return misuse();
  state().capturing = true;
  created("capture");
  return hipSuccess;
}

hipError_t hipStreamEndCapture(hipStream_t /*stream*/, hipGraph_t* graph) {
  const hipError_t error = begin("hipStreamEndCapture");
  if (!state().capturing) return misuse();
  state().capturing = false;
  destroyed("capture");
  if (error != hipSuccess) return error;
  *graph = new ihipGraph;
  created("graph");
  return hipSuccess;
}

hipError_t hipGraphInstantiate(hipGraphExec_t* exec, hipGraph_t /*graph*/,
                               hipGraphNode_t* /*error_node*/, char* /*log*/,
                               std::size_t /*log_bytes*/) {
  if (const hipError_t error = begin("hipGraphInstantiate"); error != hipSuccess) return error;
  *exec = new hipGraphExec;
  created("executable graph");
  return hipSuccess;
}

hipError_t hipGraphDestroy(hipGraph_t graph) {
  const hipError_t error = begin("hipGraphDestroy");
  delete graph;
  destroyed("graph");
  return error;
}

hipError_t hipGraphExecDestroy(hipGraphExec_t exec) {
  const hipError_t error = begin("hipGraphExecDestroy");
  delete exec;
  destroyed("executable graph");
  return error;
}

hipError_t hipGraphLaunch(hipGraphExec_t /*exec*/, hipStream_t /*stream*/) {
  if (const hipError_t error = begin("hipGraphLaunch"); error != hipSuccess) return error;
  state().now_us += kGraphUs;
  return hipSuccess;
}

// The compiler's "code object" is the source: its kernels are found by name in it.

hiprtcResult hiprtcVersion(int* major, int* minor) {
  *major = 9;
  *minor = 0;
  return HIPRTC_SUCCESS;
}

const char* hiprtcGetErrorString(hiprtcResult result) {
  return result == HIPRTC_SUCCESS ? "HIPRTC_SUCCESS" : "HIPRTC_ERROR_COMPILATION";
}

hiprtcResult hiprtcCreateProgram(hiprtcProgram* program, const char* source, const char* /*name*/,
                                 int /*header_count*/, const char** /*headers*/,
                                 const char** /*header_names*/) {
  *program = new _hiprtcProgram{source};
  created("program");
  return HIPRTC_SUCCESS;
}

hiprtcResult hiprtcDestroyProgram(hiprtcProgram* program) {
  delete *program;
  *program = nullptr;
  destroyed("program");
  return HIPRTC_SUCCESS;
}

hiprtcResult hiprtcCompileProgram(hiprtcProgram /*program*/, int /*option_count*/,
                                  const char** /*options*/) {
  return begin("hiprtcCompileProgram") == hipSuccess ? HIPRTC_SUCCESS : HIPRTC_ERROR_COMPILATION;
}

hiprtcResult hiprtcGetProgramLogSize(hiprtcProgram /*program*/, std::size_t* size) {
  *size = 0;
  return HIPRTC_SUCCESS;
}

hiprtcResult hiprtcGetProgramLog(hiprtcProgram /*program*/, char* /*log*/) {
  return HIPRTC_SUCCESS;
}

hiprtcResult hiprtcGetCodeSize(hiprtcProgram program, std::size_t* size) {
  *size = program->source.size() + 1;
  return HIPRTC_SUCCESS;
}

hiprtcResult hiprtcGetCode(hiprtcProgram program, char* code) {
  std::memcpy(code, program->source.c_str(), program->source.size() + 1);
  return HIPRTC_SUCCESS;
}

}  // extern "C"

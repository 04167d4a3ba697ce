// Modules, launches and graphs of the fake runtime, and its compiler.

#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fake_state.hpp"
#include "harness/compile/simulated_code.hpp"
#include "harness/device/simulated/simulated_kernels.hpp"
#include "harness/device/simulated/simulated_program.hpp"
#include "hip/hiprtc.h"

using fake_hip::begin;
using fake_hip::created;
using fake_hip::destroyed;
using fake_hip::misuse;
using fake_hip::state;

struct ihipModuleSymbol_t {
  std::string entry;
  const std::vector<fusetune::Argument>* arguments = nullptr;  ///< of a kernel that runs
  const fusetune::SimulatedProgram* program = nullptr;
  const fusetune::SimulatedKernel* built_in = nullptr;
};
struct ihipModule_t {
  std::string names;  ///< of its kernels
  fusetune::Simulation script;
  fusetune::SimulatedCode code;
  std::unique_ptr<fusetune::SimulatedProgram> program;  ///< of code that this machine can run
  std::map<std::string, ihipModuleSymbol_t> kernels;
};
struct ihipGraph {
  std::vector<fake_hip::Work> launches;
};
struct hipGraphExec {
  std::vector<fake_hip::Work> launches;
};
struct _hiprtcProgram {  // NOLINT: hipRTC's name
  std::string source;
};

namespace {

constexpr double kGraphUs = 5;
constexpr double kKernelUs = 10;

/// The arguments as the simulated device knows them.
fusetune::KernelLaunch launch_of(const ihipModuleSymbol_t& kernel, void** values) {
  fusetune::KernelLaunch launch;
  launch.entry = kernel.entry;
  for (std::size_t i = 0; i < kernel.arguments->size(); ++i)
    if ((*kernel.arguments)[i].kind == fusetune::Argument::Kind::tensor)
      launch.arguments.emplace_back(*static_cast<fusetune::DevicePointer*>(values[i]));
    else
      launch.arguments.emplace_back(*static_cast<std::int64_t*>(values[i]));
  return launch;
}

/// Longer for narrow blocks, and for the baseline.
double live_us(const std::string& entry, const fusetune::SimulatedLaunch& launch) {
  const double us = fake_hip::machine().kernel_us;
  if (entry.starts_with("calibrate_"))
    return 1 + static_cast<double>(fusetune::find_simulated_kernel(entry)->touched_bytes(launch)) /
                   5000;
  if (entry == "simulated_rows_plain") return 3 * us;
  return us * (1 + 64.0 / static_cast<double>(launch.number("block_size")));
}

void run_live(const ihipModuleSymbol_t& kernel, const fusetune::KernelLaunch& launch,
              hipStream_t stream) {
  auto bound = std::make_shared<fusetune::SimulatedLaunch>();
  if (!kernel.program->bind(launch, bound.get()).ok()) return;
  const double us = live_us(kernel.entry, *bound);
  fake_hip::work(stream, [bound, us, run = kernel.built_in->run](hipStream_t in) {
    std::byte* result = nullptr;
    run(*bound, &result);
    fake_hip::pass_us(in, us);
  });
}

}  // namespace

extern "C" {

hipError_t hipModuleLoadData(hipModule_t* module, const void* image) {
  if (const hipError_t error = begin("hipModuleLoadData"); error != hipSuccess) return error;
  *module = new ihipModule_t;
  (*module)->names = static_cast<const char*>(image);
  if (auto code = fusetune::simulated_code_from((*module)->names)) {
    (*module)->code = *code;
    (*module)->program = std::make_unique<fusetune::SimulatedProgram>(
        *std::move(code), (*module)->script, std::make_shared<std::uint64_t>(0));
  }
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
  ihipModuleSymbol_t& kernel = module->kernels[name];
  kernel.entry = name;
  if (const auto entry = module->code.entries.find(name); entry != module->code.entries.end()) {
    kernel.arguments = &entry->second;
    kernel.program = module->program.get();
    kernel.built_in = fusetune::find_simulated_kernel(name);
  }
  *function = &kernel;
  return hipSuccess;
}

hipError_t hipModuleLaunchKernel(hipFunction_t function, unsigned grid_x, unsigned grid_y,
                                 unsigned grid_z, unsigned block_x, unsigned block_y,
                                 unsigned block_z, unsigned /*lds_bytes*/, hipStream_t stream,
                                 void** arguments, void** /*extra*/) {
  if (const hipError_t error = begin("hipModuleLaunchKernel"); error != hipSuccess) return error;
  if (grid_x * grid_y * grid_z == 0 || block_x * block_y * block_z == 0)
    return state().last = hipErrorInvalidValue;
  if (fake_hip::machine().kernel_us == 0) {
    if (state().capturing != stream) fake_hip::pass_us(stream, kKernelUs);
  } else if (function->built_in != nullptr) {
    fusetune::KernelLaunch launch = launch_of(*function, arguments);
    launch.grid = {grid_x, grid_y, grid_z};
    launch.block = {block_x, block_y, block_z};
    run_live(*function, launch, stream);
  }
  return hipSuccess;
}

hipError_t hipStreamBeginCapture(hipStream_t stream, hipStreamCaptureMode /*mode*/) {
  if (const hipError_t error = begin("hipStreamBeginCapture"); error != hipSuccess) return error;
  if (state().capturing != nullptr) return misuse();
  state().capturing = stream;
  created("capture");
  return hipSuccess;
}

hipError_t hipStreamEndCapture(hipStream_t /*stream*/, hipGraph_t* graph) {
  const hipError_t error = begin("hipStreamEndCapture");
  if (state().capturing == nullptr) return misuse();
  state().capturing = nullptr;
  destroyed("capture");
  if (error != hipSuccess) state().captured.clear();
  if (error != hipSuccess) return error;
  *graph = new ihipGraph{std::exchange(state().captured, {})};
  created("graph");
  return hipSuccess;
}

hipError_t hipGraphInstantiate(hipGraphExec_t* exec, hipGraph_t graph,
                               hipGraphNode_t* /*error_node*/, char* /*log*/,
                               std::size_t /*log_bytes*/) {
  if (const hipError_t error = begin("hipGraphInstantiate"); error != hipSuccess) return error;
  *exec = new hipGraphExec{graph->launches};
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

hipError_t hipGraphLaunch(hipGraphExec_t exec, hipStream_t stream) {
  if (const hipError_t error = begin("hipGraphLaunch"); error != hipSuccess) return error;
  fake_hip::pass_us(stream, kGraphUs);
  for (const auto& launch : exec->launches) launch(stream);
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

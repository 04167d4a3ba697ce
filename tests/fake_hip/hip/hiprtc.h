#pragma once
// As much of hipRTC's interface as the GPU device uses for its own kernels.

#include <cstddef>

// NOLINTBEGIN: hipRTC's names and types.
enum hiprtcResult {
  HIPRTC_SUCCESS = 0,
  HIPRTC_ERROR_INVALID_OPTION = 5,
  HIPRTC_ERROR_COMPILATION = 6,
};
using hiprtcProgram = struct _hiprtcProgram*;

extern "C" {
hiprtcResult hiprtcVersion(int* major, int* minor);
const char* hiprtcGetErrorString(hiprtcResult result);
hiprtcResult hiprtcCreateProgram(hiprtcProgram* program, const char* source, const char* name,
                                 int header_count, const char** headers, const char** header_names);
hiprtcResult hiprtcDestroyProgram(hiprtcProgram* program);
hiprtcResult hiprtcCompileProgram(hiprtcProgram program, int option_count, const char** options);
hiprtcResult hiprtcGetProgramLogSize(hiprtcProgram program, std::size_t* size);
hiprtcResult hiprtcGetProgramLog(hiprtcProgram program, char* log);
hiprtcResult hiprtcGetCodeSize(hiprtcProgram program, std::size_t* size);
hiprtcResult hiprtcGetCode(hiprtcProgram program, char* code);
}
// NOLINTEND

#pragma once
// hipRTC's names, whichever run-time compiler answers to them: AMD's, or NVIDIA's under its own.

#ifdef FUSETUNE_HIP_OVER_CUDA

#include <nvrtc.h>

using hiprtcProgram = nvrtcProgram;
using hiprtcResult = nvrtcResult;
inline constexpr hiprtcResult HIPRTC_SUCCESS = NVRTC_SUCCESS;
inline constexpr hiprtcResult HIPRTC_ERROR_INVALID_OPTION = NVRTC_ERROR_INVALID_OPTION;

inline constexpr auto& hiprtcVersion = nvrtcVersion;
inline constexpr auto& hiprtcGetErrorString = nvrtcGetErrorString;
inline constexpr auto& hiprtcCreateProgram = nvrtcCreateProgram;
inline constexpr auto& hiprtcDestroyProgram = nvrtcDestroyProgram;
inline constexpr auto& hiprtcCompileProgram = nvrtcCompileProgram;
inline constexpr auto& hiprtcGetProgramLogSize = nvrtcGetProgramLogSize;
inline constexpr auto& hiprtcGetProgramLog = nvrtcGetProgramLog;
inline constexpr auto& hiprtcGetCodeSize = nvrtcGetCUBINSize;
inline constexpr auto& hiprtcGetCode = nvrtcGetCUBIN;

#else

#include <hip/hiprtc.h>
// HIP's macro of that name breaks attributes of the standard library (g++ 16).
#undef __noinline__

#endif

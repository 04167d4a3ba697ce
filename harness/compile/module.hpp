#pragma once
// What a platform's module exports. Objects of C++ cross this boundary, so both sides must come
// from one build: the version says so.

#include <memory>
#include <string>
#include <vector>

#include "harness/spec/target.hpp"

namespace fusetune {

class Compiler;
class Device;
struct Gpu;

using ModuleVersion = const char* (*)();
using ModuleMakeCompiler = Compiler* (*)();
/// The GPUs of the platform, at least one, for the caller to delete. Throws UserError.
using ModuleListGpus = std::vector<Gpu>* (*)();
/// Throws UserError.
using ModuleMakeDevice = Device* (*)(const Gpu& gpu);

inline constexpr const char* kModuleVersionSymbol = "fusetune_module_version";
inline constexpr const char* kModuleMakeSymbol = "fusetune_make_compiler";
inline constexpr const char* kModuleGpusSymbol = "fusetune_list_gpus";
inline constexpr const char* kModuleDeviceSymbol = "fusetune_make_device";

/// Of the interfaces in compiler.hpp and device.hpp; raise it when they change.
inline constexpr const char* kModuleVersion = "fusetune-module-2 gcc " __VERSION__;

/// Each module has one. Throws std::exception where its library is of no use here.
std::unique_ptr<Compiler> make_module_compiler();

/// What a platform's module exports under a name; nullptr, with the reason, when there is no module
/// that fits this build. The module stays loaded.
void* module_symbol(Platform platform, const char* symbol, std::string* reason);

}  // namespace fusetune

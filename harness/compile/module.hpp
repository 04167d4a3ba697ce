#pragma once
// What a platform's module exports. Objects of C++ cross this boundary, so both sides must come
// from one build: the version says so.

namespace fusetune {

class Compiler;

using ModuleVersion = const char* (*)();
using ModuleMakeCompiler = Compiler* (*)();

inline constexpr const char* kModuleVersionSymbol = "fusetune_module_version";
inline constexpr const char* kModuleMakeSymbol = "fusetune_make_compiler";

/// Of the interfaces in compiler.hpp; raise it when they change.
inline constexpr const char* kModuleVersion = "fusetune-module-1 gcc " __VERSION__;

}  // namespace fusetune

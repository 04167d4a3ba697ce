#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/compile/compiler.hpp"
#include "harness/compile/module.hpp"
#include "harness/process/subprocess.hpp"

namespace fusetune {

namespace fs = std::filesystem;

namespace {

std::string module_name(Platform platform) { return platform == Platform::amd ? "amd" : "nvidia"; }

bool needs_module(Platform platform) {
  return platform == Platform::amd || platform == Platform::nvidia;
}

std::string needed_packages(Platform platform) {
  return platform == Platform::amd ? "libamdhip64-dev and libamd-comgr-dev (or ROCm's own packages)"
                                   : "the CUDA toolkit";
}

std::vector<fs::path> module_folders() {
  if (const char* folder = std::getenv("FUSETUNE_MODULE_DIR"); folder != nullptr && *folder != '\0')
    return {folder};
  const fs::path here = self_path().parent_path();
  return {here, here.parent_path() / "lib", here.parent_path() / "lib" / "fusetune",
          own_folder() / "fusetune",  // of the installed library, whoever uses it
          FUSETUNE_BUILD_LIB_DIR};
}

/// The module's file, or an empty path with the reason.
fs::path find_module(Platform platform, std::string* reason) {
  const std::string file = fmt::format("libfusetune_{}.so", module_name(platform));
  std::vector<std::string> places;
  for (const fs::path& folder : module_folders()) {
    std::error_code error;
    if (fs::is_regular_file(folder / file, error)) return folder / file;
    places.push_back(display_path(folder));
  }
  *reason = fmt::format(
      "the {} module was not built or not installed: there is no {} in {}; it is built where CMake "
      "finds {}",
      module_name(platform), file, fmt::join(places, ", "), needed_packages(platform));
  return {};
}

}  // namespace

void* module_symbol(Platform platform, const char* symbol, std::string* reason) {
  const fs::path file = find_module(platform, reason);
  if (file.empty()) return nullptr;
  // Never closed: compilers and drivers register handlers and threads that outlive a dlclose badly.
  void* handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    *reason = fmt::format("the {} module does not load: {}", module_name(platform), ::dlerror());
    return nullptr;
  }
  const auto version = reinterpret_cast<ModuleVersion>(::dlsym(handle, kModuleVersionSymbol));
  void* found = ::dlsym(handle, symbol);
  if (version == nullptr || found == nullptr || std::string_view(version()) != kModuleVersion) {
    *reason = fmt::format("{} belongs to another build of fusetune ({})", display_path(file),
                          version == nullptr ? "no version" : version());
    return nullptr;
  }
  return found;
}

std::unique_ptr<Compiler> load_compiler_module(Platform platform, std::string* reason) {
  if (!needs_module(platform)) {
    *reason = "its compiler needs no module";
    return nullptr;
  }
  const auto make =
      reinterpret_cast<ModuleMakeCompiler>(module_symbol(platform, kModuleMakeSymbol, reason));
  if (make == nullptr) return nullptr;
  std::unique_ptr<Compiler> compiler(make());
  if (compiler == nullptr)
    *reason = fmt::format("the {} module could not start its compiler", module_name(platform));
  return compiler;
}

std::string compiler_unavailable(const Target& target) {
  std::string reason;
  if (needs_module(target.platform)) find_module(target.platform, &reason);
  return reason;
}

}  // namespace fusetune

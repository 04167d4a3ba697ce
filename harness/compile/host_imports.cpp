#include "harness/compile/host_imports.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>

#include "harness/compile/elf_image.hpp"

namespace fusetune {

namespace {

/// In double; the names for float end in f.
constexpr std::string_view kMathematics[] = {
    "acos",      "acosh",     "asin",  "asinh",     "atan",   "atan2",  "atanh",  "cbrt",
    "ceil",      "cos",       "cosh",  "copysign",  "erf",    "erfc",   "exp",    "exp10",
    "exp2",      "expm1",     "fabs",  "fdim",      "floor",  "fma",    "fmax",   "fmin",
    "fmod",      "frexp",     "hypot", "ilogb",     "ldexp",  "lgamma", "llrint", "llround",
    "log",       "log10",     "log1p", "log2",      "logb",   "lrint",  "lround", "modf",
    "nearbyint", "nextafter", "pow",   "remainder", "remquo", "rint",   "round",  "roundeven",
    "scalbln",   "scalbn",    "sin",   "sincos",    "sinh",   "sqrt",   "tan",    "tanh",
    "tgamma",    "trunc"};
/// What compilers make of loops and assignments.
constexpr std::string_view kMemory[] = {"memcpy", "memmove", "memset", "memcmp"};

constexpr std::uint32_t kInitArray = 14, kFiniArray = 15, kPreinitArray = 16;
constexpr std::uint64_t kPointerBytes = 8;
constexpr int kIndirectFunction = 10;

template <std::size_t N>
bool holds(const std::string_view (&names)[N], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool is_mathematics(std::string_view name) {
  if (holds(kMathematics, name)) return true;
  return name.ends_with('f') && holds(kMathematics, name.substr(0, name.size() - 1));
}

std::string import_problem(const ElfImage& elf) {
  for (const ElfImage::Symbol& symbol : elf.dynamic_symbols()) {
    if (symbol.section != 0 || symbol.name.empty() || is_device_runtime(symbol.name)) continue;
    const std::string name(symbol.name);
    if (::dlsym(RTLD_DEFAULT, name.c_str()) == nullptr)
      return fmt::format("the kernel calls '{}', which there is not", name);
    if (!is_mathematics(name) && !holds(kMemory, name))
      return fmt::format(
          "the kernel calls '{}': on the host a kernel has mathematics and memcpy, and nothing "
          "else of the C library",
          name);
  }
  if (!elf.needed().empty())
    return fmt::format("the kernel needs the library '{}'", elf.needed().front());
  return "";
}

/// Code that runs before there is a launch whose faults could be told.
bool runs_on_loading(const ElfImage& elf) {
  std::uint64_t bytes = 0;
  bool instrumented = false;
  for (const ElfImage::Section& section : elf.sections()) {
    if (section.type == kPreinitArray || section.type == kFiniArray || section.name == ".init" ||
        section.name == ".fini")
      return true;
    if (section.type == kInitArray) bytes += section.size;
  }
  for (const ElfImage::Symbol& symbol : elf.dynamic_symbols()) {
    instrumented |= symbol.name == "__tsan_init";
    if ((symbol.info & 0xf) == kIndirectFunction && symbol.section != 0) return true;
  }
  for (const ElfImage::Symbol& symbol : elf.static_symbols())
    if ((symbol.info & 0xf) == kIndirectFunction && symbol.section != 0) return true;
  // Instrumented code announces itself to the runtime.
  return bytes > (instrumented ? kPointerBytes : 0);
}

}  // namespace

bool is_device_runtime(std::string_view name) {
  return name.starts_with("ft_host_at_") || name.starts_with("ft_host_exact_") ||
         name.starts_with("__tsan_") || name.starts_with("__ubsan_handle_");
}

std::string load_problem(std::string_view code) {
  const std::optional<ElfImage> elf = ElfImage::parse(code);
  if (!elf) return "the compiler wrote a damaged file";
  if (std::string problem = import_problem(*elf); !problem.empty()) return problem;
  if (runs_on_loading(*elf))
    return "the kernel has code that runs when it is loaded, as constructors of globals do";
  return "";
}

}  // namespace fusetune

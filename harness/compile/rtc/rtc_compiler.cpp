#include "harness/compile/rtc/rtc_compiler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "harness/compile/code_checks.hpp"
#include "harness/compile/compile_log.hpp"
#include "harness/compile/elf_image.hpp"
#include "harness/compile/occupancy.hpp"
#include "harness/compile/rtc/program.hpp"

namespace fusetune::rtc {

#ifdef FUSETUNE_HIP_OVER_CUDA
namespace {

/// Since when NVRTC knows both kLeanOptions.
constexpr std::pair kLeanSince{12, 9};
/// Nothing of CUDA's runtime is declared ahead of a kernel, which costs a sixth of a compilation;
/// and no code is kept in the user's folders: the store has it, and a time that a cache shortened
/// is none. Neither changes what a kernel compiles to.
constexpr std::array kLeanOptions{"--minimal", "--no-cache"};

}  // namespace
#endif

const std::vector<std::string>& common_options() {
  static const std::vector<std::string> options{"-std=c++17"};
  return options;
}

std::vector<std::string> target_options(const Target& target) {
#ifdef FUSETUNE_HIP_OVER_CUDA
  std::vector<std::string> options{"--gpu-architecture=" + target.name};
  int major = 0, minor = 0;
  hiprtcVersion(&major, &minor);
  if (std::pair(major, minor) >= kLeanSince)
    options.insert(options.end(), kLeanOptions.begin(), kLeanOptions.end());
  return options;
#else
  return {"--offload-arch=" + target.name};
#endif
}

std::string compile_own(const SourceText& source, const Target& target) {
  CompileRequest request;
  request.source = source;
  Program program(request);
  std::vector<std::string> options = common_options();
  for (std::string& option : target_options(target)) options.push_back(std::move(option));
  return program.compile(options) ? program.code() : "";
}

/// Facts of the requested entries, in their order; an outcome when the code object is not what was
/// asked for.
Outcome RtcCompiler::read_facts(const CompileRequest& request, CompileResult* result) const {
  result->code_identity = elf_code_identity(result->code);
  if (result->code_identity.empty())
    return {Status::compile_error, name() + " returned something that is not an ELF file"};
  std::vector<KernelFacts> kernels = kernel_facts(result->code, result->log);
  result->facts.file_bytes = static_cast<std::int64_t>(result->code.size());
  for (const std::string& entry : request.entries) {
    const auto found = std::find_if(kernels.begin(), kernels.end(), [&](const KernelFacts& kernel) {
      return kernel.entry == entry;
    });
    if (found == kernels.end())
      return {Status::compile_error, fmt::format("entry {} is not in the code object", entry)};
    found->occupancy_waves = occupancy_waves(request.target, *found, request.block_threads);
    result->facts.kernels.push_back(*found);
  }
  return check_code(request, result->facts);
}

CompileResult RtcCompiler::compile(const CompileRequest& request) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::string> options = common_options();
  for (std::string& option : options_of(request.target)) options.push_back(std::move(option));
  for (const auto& [name, value] : request.macros)
    options.push_back(fmt::format("-D{}={}", name, value));
  CompileResult result;
  Program program(request);
  const bool compiled = program.compile(options);
  result.log = program.log();
  if (!compiled) {
    if (result.log.empty()) result.log = program.error();
    result.outcome = outcome_of_failed_compile(result.log);
    // Of the options only the target's name is not always the same.
    if (program.option_refused())
      result.outcome = {Status::unsupported_target,
                        fmt::format("{} does not compile for {}: {}", name(), request.target.name,
                                    result.outcome.message)};
  } else {
    result.code = program.code();
    try {
      result.outcome = read_facts(request, &result);
    } catch (const std::exception& error) {
      result.outcome = {Status::compile_error, error.what()};
    }
  }
  if (!result.outcome.ok()) result.code.clear();
  result.compile_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace fusetune::rtc

#include "harness/compile/amd/hiprtc_compiler.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <hip/hiprtc.h>

#include <algorithm>
#include <chrono>

#include "harness/compile/amd/comgr.hpp"
#include "harness/compile/code_checks.hpp"
#include "harness/compile/compile_log.hpp"
#include "harness/compile/elf_image.hpp"
#include "harness/compile/occupancy.hpp"

namespace fusetune::amd {

namespace {

const std::vector<std::string>& common_options() {
  static const std::vector<std::string> options{"-O3", "-std=c++17"};
  return options;
}

/// Owns a program of hipRTC.
class Program {
 public:
  explicit Program(const CompileRequest& request) {
    std::vector<const char*> texts, names;
    for (const SourceText& header : request.headers) {
      texts.push_back(header.text.c_str());
      names.push_back(header.name.c_str());
    }
    const hiprtcResult result =
        hiprtcCreateProgram(&program_, request.source.text.c_str(), request.source.name.c_str(),
                            static_cast<int>(texts.size()), texts.data(), names.data());
    if (result != HIPRTC_SUCCESS) error_ = hiprtcGetErrorString(result);
  }
  ~Program() {
    if (program_ != nullptr) hiprtcDestroyProgram(&program_);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// False with the reason in error() or log().
  bool compile(const std::vector<std::string>& options) {
    if (!error_.empty()) return false;
    std::vector<const char*> pointers;
    for (const std::string& option : options) pointers.push_back(option.c_str());
    const hiprtcResult result =
        hiprtcCompileProgram(program_, static_cast<int>(pointers.size()), pointers.data());
    if (result != HIPRTC_SUCCESS) error_ = hiprtcGetErrorString(result);
    return result == HIPRTC_SUCCESS;
  }

  std::string log() const {
    std::size_t size = 0;
    if (program_ == nullptr || hiprtcGetProgramLogSize(program_, &size) != HIPRTC_SUCCESS)
      return {};
    std::string log(size, '\0');
    if (size > 0) hiprtcGetProgramLog(program_, log.data());
    while (!log.empty() && log.back() == '\0') log.pop_back();
    return log;
  }
  std::string code() const {
    std::size_t size = 0;
    if (hiprtcGetCodeSize(program_, &size) != HIPRTC_SUCCESS) return {};
    std::string code(size, '\0');
    if (hiprtcGetCode(program_, code.data()) != HIPRTC_SUCCESS) return {};
    return code;
  }
  const std::string& error() const { return error_; }

 private:
  hiprtcProgram program_ = nullptr;
  std::string error_;
};

std::vector<std::string> options_of(const CompileRequest& request) {
  std::vector<std::string> options = common_options();
  options.push_back("--offload-arch=" + request.target.name);
  for (const auto& [name, value] : request.macros)
    options.push_back(fmt::format("-D{}={}", name, value));
  return options;
}

/// Facts of the requested entries, in their order; an outcome when the code object is not what was
/// asked for.
Outcome read_facts(const CompileRequest& request, CompileResult* result) {
  result->code_identity = elf_code_identity(result->code);
  if (result->code_identity.empty())
    return {Status::compile_error, "hipRTC returned something that is not an ELF file"};
  std::vector<KernelFacts> kernels = read_kernel_facts(result->code);
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

}  // namespace

HiprtcCompiler::HiprtcCompiler() {
  int major = 0, minor = 0;
  hiprtcVersion(&major, &minor);
  identity_ = fmt::format("hipRTC {}.{} ({}), comgr {}, {}", major, minor,
                          library_of(reinterpret_cast<const void*>(&hiprtcCompileProgram)),
                          comgr_version(), fmt::join(common_options(), " "));
}

CompileResult HiprtcCompiler::compile(const CompileRequest& request) {
  const auto start = std::chrono::steady_clock::now();
  CompileResult result;
  Program program(request);
  const bool compiled = program.compile(options_of(request));
  result.log = program.log();
  if (!compiled) {
    if (result.log.empty()) result.log = program.error();
    result.outcome = outcome_of_failed_compile(result.log);
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

}  // namespace fusetune::amd

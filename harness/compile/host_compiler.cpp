// Kernels for the CPU: the system's C++ compiler as a subprocess, in a folder that never stays.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/base/hash.hpp"
#include "harness/base/temporary_folder.hpp"
#include "harness/compile/compile_log.hpp"
#include "harness/compile/compiler.hpp"
#include "harness/compile/elf_image.hpp"
#include "harness/compile/host_imports.hpp"
#include "harness/compile/signature.hpp"
#include "harness/process/subprocess.hpp"

namespace fusetune {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds kVersionLimit{20};
// Who asked for the compilation ends it earlier; this keeps a forgotten one from staying for ever.
constexpr std::chrono::hours kTimeLimit{24};
constexpr int kNotStarted = 127;
constexpr std::string_view kRuntimePrefix = "ft_host_at_";
constexpr const char* kShimFolder = "fusetune_host";
constexpr const char* kMainFile = "fusetune_host/main.cpp";
constexpr const char* kCodeFile = "fusetune_host/kernels.so";

/// Where one compilation takes place.
class SourceFolder {
 public:
  const fs::path& path() const { return folder_.path(); }

  void write(const fs::path& name, const std::string& text) const {
    const fs::path clean = name.lexically_normal();
    if (clean.empty() || clean.is_absolute() || *clean.begin() == "..")
      throw std::invalid_argument(fmt::format("header name '{}' leaves the folder", name.string()));
    std::error_code error;
    fs::create_directories((path() / clean).parent_path(), error);
    errno = error.value();
    std::ofstream file;
    if (!error) file.open(path() / clean, std::ios::binary);
    file << text;
    if (error || !file.is_open() || !file.flush())
      throw UserError(fmt::format("cannot write {}: {}", (path() / clean).string(),
                                  std::generic_category().message(errno)));
  }

 private:
  TemporaryFolder folder_{"fusetune-host"};
};

std::vector<std::string> split_words(const std::string& text) {
  std::istringstream words(text);
  std::vector<std::string> result;
  for (std::string word; words >> word;) result.push_back(word);
  return result;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

class HostCompiler : public Compiler {
 public:
  HostCompiler();
  std::string identity() const override { return identity_; }
  bool handles(const Target& target) const override { return target.platform == Platform::host; }
  CompileResult compile(const CompileRequest& request) override;

 private:
  void run(const CompileRequest& request, CompileResult* result) const;
  std::vector<std::string> arguments(const CompileRequest& request, const fs::path& folder) const;

  std::vector<std::string> command_;
  std::vector<std::string> flags_;
  std::vector<std::string> fast_flags_, exact_flags_;  ///< one or the other besides
  std::string missing_;  ///< why there is no compiler, "" when there is one
  std::string shim_, abi_;
  std::string identity_;
};

HostCompiler::HostCompiler() {
  const char* chosen = std::getenv("CXX");
  command_ = split_words(chosen != nullptr ? chosen : "");
  if (command_.empty()) command_ = {"g++"};
  std::vector<std::string> ask = command_;
  ask.push_back("--version");
  const ProcessResult version = run_process(ask, kVersionLimit);
  if (version.exit_code != 0 || version.signal != 0)
    missing_ = fmt::format("no C++ compiler for the host: {}: {}", command_.front(),
                           first_line(version.output));

  flags_ = {"-x", "c++", "-std=gnu++17", "-g1", "-fPIC", "-shared", "-nostdlib", "-pipe"};
  // Kernels see what the GPU compilers see: no system headers, no library.
  for (const char* flag :
       {"-nostdinc", "-fvisibility=hidden", "-fno-exceptions", "-fno-rtti",
        "-fno-asynchronous-unwind-tables", "-fno-stack-protector", "-fno-threadsafe-statics",
        "-fno-strict-aliasing", "-fno-math-errno", "-ffp-contract=off", "-fcf-protection=none"})
    flags_.push_back(flag);
  // The inlined fibre switch pushes below the stack pointer.
  flags_.push_back("-mno-red-zone");
  flags_.push_back("-Wl,--build-id=none");
  const bool clang = version.output.find("clang") != std::string::npos;
  // Symbols unique to the process would make two loads share their shared memory.
  if (!clang) flags_.push_back("-fno-gnu-unique");
  fast_flags_ = {"-O2", "-fsanitize=alignment", "-fsanitize-undefined-trap-on-error"};
  // The runtime that these calls are made for is our own: no sanitizer's library is linked.
  exact_flags_ = {"-O1", "-fsanitize=thread", "-fsanitize=alignment,bounds",
                  "-fno-sanitize-recover=all", "-DFT_HOST_EXACT=1"};
  // Loops: a quarter of the compile time, for launches that take a little longer. Structs: taken
  // apart, a store of 16 bytes would be told of as four of 4.
  if (!clang)
    for (const char* flag : {"-fno-tree-loop-optimize", "-fno-tree-sra"})
      exact_flags_.push_back(flag);
  // One trap for several accesses would have the line of one of them.
  if (!clang) fast_flags_.push_back("-fno-crossjumping");
  // Wider accesses than 16 bytes are not told of.
  if (clang)
    for (const char* flag :
         {"-fno-vectorize", "-fno-slp-vectorize", "-mllvm", "-tsan-instrument-func-entry-exit=0",
          "-mllvm", "-tsan-instrument-read-before-write=1"})
      exact_flags_.push_back(flag);
  else
    for (const char* flag : {"--param", "tsan-instrument-func-entry-exit=0"})
      exact_flags_.push_back(flag);

  const fs::path folder = project_root() / "harness" / "device" / "host";
  shim_ = read_file(folder / "host_shim.h");
  abi_ = read_file(folder / "host_abi.h");
  std::string flags;
  for (const auto* list : {&flags_, &fast_flags_, &exact_flags_})
    for (const std::string& flag : *list) flags += flag + " ";
  identity_ = fmt::format("{}, host device {}",
                          missing_.empty() ? first_line(version.output) : "no C++ compiler",
                          hash_hex({shim_, abi_, flags}).substr(0, 16));
}

std::vector<std::string> HostCompiler::arguments(const CompileRequest& request,
                                                 const fs::path& folder) const {
  std::vector<std::string> result = command_;
  result.insert(result.end(), flags_.begin(), flags_.end());
  const std::vector<std::string>& mode = request.exact ? exact_flags_ : fast_flags_;
  result.insert(result.end(), mode.begin(), mode.end());
  // Names are relative to the folder, so what comes out does not depend on where it lies.
  result.push_back(fmt::format("-ffile-prefix-map={}=.", folder.string()));
  result.push_back("-iquote.");
  result.push_back("-include");
  result.push_back(fmt::format("{}/host_shim.h", kShimFolder));
  bool has_wave_size = false;
  for (const auto& [name, value] : request.macros) {
    result.push_back(fmt::format("-D{}={}", name, value));
    has_wave_size |= name == "FT_WAVE_SIZE";
  }
  if (!has_wave_size) result.push_back(fmt::format("-DFT_WAVE_SIZE={}", request.target.wave_size));
  for (const char* argument : {kMainFile, "-o", kCodeFile}) result.push_back(argument);
  return result;
}

std::string main_text(const CompileRequest& request) {
  std::string text = line_directive(request.source.name, 1) + request.source.text + "\n" +
                     line_directive("entry points", 1);
  for (const std::string& entry : request.entries)
    text += fmt::format("FT_HOST_ENTRY({})\n", entry);
  return text;
}

CodeFacts facts_of(const CompileRequest& request, const std::string& code) {
  bool needs_fibres = false;
  for (const std::string& name : elf_undefined_symbols(code).value_or(std::vector<std::string>{}))
    needs_fibres |= name.starts_with(kRuntimePrefix);
  CodeFacts facts;
  facts.file_bytes = static_cast<std::int64_t>(code.size());
  for (const std::string& entry : request.entries) {
    KernelFacts& kernel = facts.kernels.emplace_back();
    kernel.entry = entry;
    kernel.needs_fibres = needs_fibres;
    kernel.wave_size = request.target.wave_size;
    kernel.code_bytes = elf_code_bytes(code, "ft_host_run_" + entry);
  }
  return facts;
}

/// The first line of a log that holds one of these, "" for none.
std::string line_with(const std::string& log, std::initializer_list<const char*> any) {
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);)
    for (const char* words : any)
      if (line.find(words) != std::string::npos) return line;
  return "";
}

/// The line in which a compiler complains of the machine and not of the kernel, "" when none does.
std::string environment_complaint(const std::string& log) {
  return line_with(log, {"No space left on device", "Disk quota exceeded", "Read-only file system",
                         "annot create temporary file", "error: cannot execute"});
}

/// The line in which it says that it got no memory.
std::string memory_complaint(const std::string& log) {
  return line_with(log, {": out of memory", "memory exhausted", "annot allocate memory"});
}

/// Throws UserError when the compiler could not do its work, whatever the kernel.
void check_environment(const ProcessResult& process, const std::string& program,
                       const fs::path& folder) {
  if (process.exit_code == kNotStarted)
    throw UserError(fmt::format("the C++ compiler {} cannot be started: {}", program,
                                first_line(process.output)));
  if (process.timed_out || (process.exit_code == 0 && process.signal == 0)) return;
  if (!memory_complaint(process.output).empty()) return;
  if (const std::string line = environment_complaint(process.output); !line.empty())
    throw UserError(fmt::format("the C++ compiler cannot work in {}: {}", folder.string(), line));
}

Outcome outcome_of(const ProcessResult& process) {
  if (process.timed_out)
    return {Status::compile_timeout,
            fmt::format("the C++ compiler ran longer than {} hours", kTimeLimit.count())};
  if (process.signal != 0)
    return {Status::compiler_crash,
            fmt::format("the C++ compiler died of signal {}", process.signal)};
  if (process.exit_code == 0) return {};
  if (std::string line = memory_complaint(process.output); !line.empty())
    return {Status::out_of_memory, std::move(line)};
  if (process.output.find("internal compiler error") != std::string::npos)
    return {Status::compiler_crash, first_error_line(process.output)};
  // The driver lives, what it started was killed: as the kernel does where memory is short.
  if (std::string line = line_with(process.output, {"signal terminated program"}); !line.empty())
    return {Status::compiler_crash, std::move(line)};
  return outcome_of_failed_compile(process.output);
}

void HostCompiler::run(const CompileRequest& request, CompileResult* result) const {
  const SourceFolder folder;
  for (const SourceText& header : request.headers) folder.write(header.name, header.text);
  folder.write(fs::path(kShimFolder) / "host_shim.h", shim_);
  folder.write(fs::path(kShimFolder) / "host_abi.h", abi_);
  folder.write(kMainFile, main_text(request));
  const ProcessResult process =
      run_process(arguments(request, folder.path()), kTimeLimit, folder.path());
  check_environment(process, command_.front(), folder.path());
  result->log = process.output;
  result->outcome = outcome_of(process);
  if (!result->outcome.ok()) return;
  std::string code = read_file(folder.path() / kCodeFile);
  if (std::string problem = load_problem(code); !problem.empty()) {
    result->outcome = {Status::compile_error, std::move(problem)};
    return;
  }
  result->facts = facts_of(request, code);
  result->code_identity = elf_code_identity(code);
  result->code = std::move(code);
}

CompileResult HostCompiler::compile(const CompileRequest& request) {
  const auto start = std::chrono::steady_clock::now();
  CompileResult result;
  if (!missing_.empty()) throw UserError(missing_);
  try {
    run(request, &result);
  } catch (const std::invalid_argument& error) {
    result.outcome = {Status::compile_error, error.what()};
  }
  result.compile_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace

std::unique_ptr<Compiler> make_host_compiler() { return std::make_unique<HostCompiler>(); }

}  // namespace fusetune

// The compiler of the simulated device: no code is generated, and what goes wrong is scripted.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <set>

#include "harness/base/hash.hpp"
#include "harness/compile/compiler.hpp"
#include "harness/compile/simulated_code.hpp"
#include "harness/spec/simulation.hpp"

namespace fusetune {

namespace {

/// Words that begin with FT_.
void add_mentioned(std::string_view text, std::set<std::string, std::less<>>& words) {
  const auto in_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  for (std::size_t at = text.find("FT_"); at < text.size(); at = text.find("FT_", at)) {
    const std::size_t begin = at;
    while (at < text.size() && in_word(text[at])) ++at;
    if (begin == 0 || !in_word(text[begin - 1])) words.emplace(text.substr(begin, at - begin));
  }
}

/// As a compiler does: what the source does not mention changes nothing. Of a word, all values
/// count.
std::map<std::string, std::string> mentioned_macros(const CompileRequest& request) {
  std::set<std::string, std::less<>> words;
  add_mentioned(request.source.text, words);
  std::map<std::string, std::string> macros;
  for (const auto& [name, value] : request.macros)
    if (words.count(name) != 0) macros.emplace(name, value);
  for (const auto& [name, value] : request.macros)
    for (const auto& [word, chosen] : macros)
      if (chosen.starts_with("FT_") && name.starts_with(word + "_")) {
        macros.emplace(name, value);
        break;
      }
  return macros;
}

/// Plausible numbers, the same for the same code.
CodeFacts facts_of_code(const CompileRequest& request, const std::string& code) {
  const std::uint64_t draw = hash64(code.data(), code.size());
  CodeFacts facts;
  facts.file_bytes = static_cast<std::int64_t>(code.size());
  for (std::size_t i = 0; i < request.entries.size(); ++i) {
    KernelFacts& kernel = facts.kernels.emplace_back();
    kernel.entry = request.entries[i];
    kernel.vgpr = static_cast<std::int64_t>(16 + draw % 64);
    kernel.sgpr = static_cast<std::int64_t>(16 + draw / 64 % 32);
    kernel.vgpr_spills = 0;
    kernel.sgpr_spills = 0;
    kernel.scratch_bytes = 0;
    kernel.lds_bytes = 0;
    kernel.kernarg_bytes = request.kernarg_bytes.at(i);
    kernel.code_bytes = static_cast<std::int64_t>(256 + draw / 2048 % 64 * 16);
    kernel.wave_size = request.target.wave_size;
    kernel.block_threads_max = request.block_threads;
  }
  return facts;
}

class SimulatedCompiler : public Compiler {
 public:
  SimulatedCompiler() : simulation_(present_simulation()) {}

  std::string identity() const override {
    return fmt::format("simulated compiler {}, {} bytes of code", simulation_.compiler_version,
                       simulation_.code_bytes);
  }
  bool handles(const Target& target) const override {
    return target.platform == Platform::simulated;
  }

  CompileResult compile(const CompileRequest& request) override {
    const auto start = std::chrono::steady_clock::now();
    CompileResult result = make(request);
    const std::map<std::string, std::string> all(request.macros.begin(), request.macros.end());
    for (const SimulatedFault* fault : simulation_.faults_of(true, request.entries, all))
      go_wrong(*fault, result);
    result.compile_ms =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    return result;
  }

 private:
  CompileResult make(const CompileRequest& request) const {
    SimulatedCode code;
    for (std::size_t i = 0; i < request.entries.size(); ++i)
      code.entries[request.entries[i]] = request.signatures.at(i);
    code.macros = mentioned_macros(request);
    code.source_hash = hash_hex(request.source.text);
    CompileResult result;
    result.code = to_bytes(code, simulation_.code_bytes);
    result.code_identity = hash_hex(result.code);
    result.facts = facts_of_code(request, result.code);
    return result;
  }

  static void go_wrong(const SimulatedFault& fault, CompileResult& result) {
    switch (fault.kind) {
      case SimulatedFault::Kind::compile_error:
        result = {};
        result.outcome = {Status::compile_error, "simulated: this variant does not compile"};
        result.log = "kernel.hip:1:1: error: simulated";
        return;
      case SimulatedFault::Kind::compiler_crash:
        std::fputs("simulated: the compiler gives up\n", stderr);
        std::abort();
      case SimulatedFault::Kind::compiler_hang:
        for (;;) ::pause();
      case SimulatedFault::Kind::garbage_code:
        // Whole for the store, and nothing that a device could load.
        result.code.replace(0, 16, "not code at all ");
        result.code_identity = hash_hex(result.code);
        return;
      default:
        throw std::logic_error("no fault of a compiler");
    }
  }

  const Simulation& simulation_;
};

}  // namespace

std::unique_ptr<Compiler> make_simulated_compiler() {
  return std::make_unique<SimulatedCompiler>();
}

}  // namespace fusetune

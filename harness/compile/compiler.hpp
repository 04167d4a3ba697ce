#pragma once
// One interface over hipRTC, NVRTC and the host's g++. Implementations live in loadable modules
// (amd, nvidia) or here (host), and run in compile workers alone: a compiler may take its process
// down.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/json.hpp"
#include "harness/base/status.hpp"
#include "harness/spec/geometry.hpp"

namespace fusetune {

/// What a code object says of itself; a field that a target does not know is empty, never 0.
struct KernelFacts {
  std::string entry;
  std::optional<std::int64_t> vgpr, agpr, sgpr;
  std::optional<std::int64_t> vgpr_spills, sgpr_spills;
  std::optional<std::int64_t> scratch_bytes;  ///< private segment per work-item
  std::optional<std::int64_t> lds_bytes;      ///< static
  std::optional<std::int64_t> kernarg_bytes;  ///< explicit arguments
  std::optional<std::int64_t> code_bytes;     ///< of the entry
  std::optional<std::int64_t> wave_size;
  std::optional<std::int64_t> block_threads_max;  ///< what the code was compiled for
  std::optional<std::int64_t>
      occupancy_waves;  ///< per SIMD, by registers and LDS at the variant's block size
  std::vector<std::pair<std::int64_t, std::int64_t>>
      global_loads;  ///< {bytes per lane, instructions}, ascending
  std::vector<std::pair<std::int64_t, std::int64_t>> global_stores;
  std::optional<bool> needs_fibres;  ///< host: uses barriers, shuffles or ballots
};

struct CodeFacts {
  std::vector<KernelFacts> kernels;
  std::int64_t file_bytes = 0;
};

Json to_json(const CodeFacts& facts);
CodeFacts facts_from_json(const Json& json);

/// A header that a source includes by name; the compilers get it in memory.
struct SourceText {
  std::string name;
  std::string text;
};

/// Everything that decides what comes out of a compiler.
struct CompileRequest {
  Target target;
  SourceText source;  ///< complete translation unit, signature check included
  std::vector<SourceText> headers;
  std::vector<std::pair<std::string, std::string>> macros;
  std::vector<std::string> entries;               ///< kernels that the code object must hold
  std::vector<std::vector<Argument>> signatures;  ///< per entry, to compare kernarg sizes
  std::int64_t block_threads = 0;                 ///< of the launch, for occupancy
  std::vector<std::int64_t> kernarg_bytes;        ///< per entry, as `signatures` lay them out
  bool exact = false;  ///< host: instrumented, for proofs that see every access

  /// Of all texts that it is compiled from; what a table's row names.
  std::string source_hash() const;
  /// Content key under a compiler identity.
  std::string key(std::string_view compiler_identity) const;
};

Json to_json(const CompileRequest& request);
CompileRequest compile_request_from_json(const Json& json);
/// In two parts, for those who send the source and the headers of many requests once: the one
/// updated by the other is the whole.
Json to_json_without_texts(const CompileRequest& request);
Json texts_to_json(const CompileRequest& request);

struct CompileResult {
  Outcome outcome;  ///< message is the first error line
  std::string log;
  std::string code;           ///< the code object's bytes
  std::string code_identity;  ///< hash of what gets loaded (contract 6)
  CodeFacts facts;
  double compile_ms = 0;
};

class Compiler {
 public:
  virtual ~Compiler() = default;
  /// Name and version of what compiles, part of every key: "hipRTC 5.2.3 ...", "g++ 12.2.0 ...".
  virtual std::string identity() const = 0;
  virtual bool handles(const Target& target) const = 0;
  virtual CompileResult compile(const CompileRequest& request) = 0;
};

/// Reads what implementations are compiled from, each once: a file that is edited while a campaign
/// runs is not part of it, or keys would name other texts than were compiled.
class SourceReader {
 public:
  struct Texts {
    SourceText source;
    std::vector<SourceText> headers;  ///< by name
  };
  const Texts& read(const Family& family, const ImplementationDecl& implementation);
  /// Sources in this folder are named to compilers as if they lay in another: a copy of a kernel
  /// compiles to what the kernel did.
  void show_as(const std::filesystem::path& folder, std::string shown);

 private:
  std::map<std::filesystem::path, std::string> shown_;
  std::map<std::pair<std::string, std::string>, Texts> texts_;  ///< family folder, source
};

/// The compile request of a variant: the implementation's source and headers, macros and the
/// signature check. `exact` is for host targets.
CompileRequest make_compile_request(const Geometry& geometry, const Variant& variant,
                                    const Target& target, SourceReader& sources,
                                    bool exact = false);
/// With the files as they are now.
CompileRequest make_compile_request(const Geometry& geometry, const Variant& variant,
                                    const Target& target, bool exact = false);

/// ft.h and its parts, which every request has.
std::vector<SourceText> common_headers();

/// For kernels of our own, which no family has: a source of this project with the common headers.
CompileRequest tool_request(const Target& target, const std::string& source,
                            std::int64_t block_threads);
/// All arguments have 8 bytes.
void add_tool_entry(const std::string& entry, std::vector<Argument> signature,
                    CompileRequest& request);

/// The generated block that fails to compile when an entry's parameter list is not that of
/// family.yaml.
std::string signature_check(const Family& family, const std::vector<std::string>& entries,
                            const std::vector<std::vector<Argument>>& signatures);

std::unique_ptr<Compiler> make_host_compiler();
std::unique_ptr<Compiler> make_simulated_compiler();

/// A platform's module (libfusetune_amd.so, ...), loaded with dlopen. On failure returns nothing
/// and says why in `reason`.
std::unique_ptr<Compiler> load_compiler_module(Platform platform, std::string* reason);

/// Why compilation for a target is impossible here without trying ("the amd module was not built:
/// ..."), or "" when it may work.
std::string compiler_unavailable(const Target& target);

}  // namespace fusetune

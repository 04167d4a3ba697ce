#include "harness/tune/tool_code.hpp"

#include <filesystem>
#include <map>
#include <utility>

#include "harness/tune/compile_stage.hpp"
#include "harness/verify/digester.hpp"

namespace fusetune {

namespace {

CompileRequest digest_request(const Target& target) {
  CompileRequest request = tool_request(target, "harness/verify/kernels/digest.hip", kDigestBlock);
  add_tool_entry(kDigestEntry,
                 {{Argument::Kind::tensor, "parts"},
                  {Argument::Kind::tensor, "sums"},
                  {Argument::Kind::symbol, "count"}},
                 request);
  return request;
}

}  // namespace

std::optional<StoredCode> compiled_tool(const CompileRequest& request, const EngineOptions& options,
                                        Outcome* outcome) {
  std::string why;
  const std::string identity = compiler_identity(request.target, &why);
  if (identity.empty()) {
    *outcome = {Status::unsupported_target, why};
    return std::nullopt;
  }
  const std::string key = request.key(identity);
  const CodeStore store(options.store);
  std::optional<StoredCode> code = store.find(key);
  if (!code) {
    const JobEnd end = ask_worker("compile",
                                  Json{{"op", "compile"},
                                       {"request", to_json(request)},
                                       {"store", options.store.string()},
                                       {"key", key},
                                       {"memory_mib", options.compile_memory_mib}},
                                  options.compile_timeout_s);
    if (end.how != JobEnd::How::answered) {
      *outcome = {Status::compiler_crash, "the compile worker ended: " + end.last_output};
      return std::nullopt;
    }
    if (end.answer.contains("error")) {
      *outcome = {Status::compile_error, end.answer["error"].get<std::string>()};
      return std::nullopt;
    }
    code = store.find(key);
  }
  if (!code) *outcome = {Status::compile_error, "the compiled kernels are not in the store"};
  if (code && !code->outcome.ok()) {
    *outcome = code->outcome;
    return std::nullopt;
  }
  return code;
}

std::string digest_code_path(const Target& target, const EngineOptions& options) {
  if (target.platform != Platform::amd && target.platform != Platform::nvidia) return "";
  static std::map<std::pair<std::string, std::filesystem::path>, std::string> known;
  std::string& path = known[{target.name, options.store}];
  if (!path.empty() && std::filesystem::exists(path)) return path;
  Outcome outcome;
  const auto code = compiled_tool(digest_request(target), options, &outcome);
  return path = code ? code->code_path.string() : "";
}

}  // namespace fusetune

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/cli/command_line.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/run_session.hpp"
#include "harness/cli/size_text.hpp"
#include "harness/cli/text_table.hpp"
#include "harness/compile/code_cache.hpp"

namespace fusetune {

namespace {

Json to_json(const CodeCacheShare& share) {
  return {{"entries", share.entries}, {"failures", share.failures}, {"bytes", share.bytes}};
}

ExitCode cache_info(const GlobalOptions& global) {
  const CodeCacheInfo info = code_cache_info(global.engine.store);
  if (global.json) {
    Json shares = Json::array();
    for (const auto& [origin, share] : info.shares) {
      shares.push_back(to_json(share));
      shares.back()["target"] = origin.first;
      shares.back()["compiler"] = origin.second;
    }
    Json document = to_json(info.all);
    document["store"] = global.engine.store.string();
    document["limit_bytes"] = global.engine.cache_bytes_max;
    document["shares"] = std::move(shares);
    document["damaged"] = info.damaged;
    document["left_over_bytes"] = info.left_over_bytes;
    fmt::print("{}\n", document.dump(2));
    return ExitCode::pass;
  }
  using Align = TextTable::Align;
  TextTable table({"target", "entries", "failures", "size", "compiler"},
                  {Align::left, Align::right, Align::right, Align::right, Align::left});
  const auto add = [&table](const std::string& target, const CodeCacheShare& share,
                            const std::string& compiler) {
    table.add({target, std::to_string(share.entries), std::to_string(share.failures),
               size_text(share.bytes), compiler});
  };
  for (const auto& [origin, share] : info.shares)
    add(origin.first.empty() ? "(unknown)" : origin.first, share, origin.second);
  add("all", info.all, "");
  fmt::print("code objects of {}\n{}", global.engine.store.string(), table.text(kLineWidth));
  fmt::print("limit: {}\n", size_text(global.engine.cache_bytes_max));
  if (info.left_over_bytes > 0)
    fmt::print("left over from killed runs: {}\n", size_text(info.left_over_bytes));
  if (info.damaged > 0)
    fmt::print("{} damaged; see: {}\n", counted(info.damaged, "entry"),
               command_text(global, "cache verify"));
  return ExitCode::pass;
}

ExitCode cache_verify(const GlobalOptions& global, bool repair) {
  const CodeCacheCheck check = check_code_cache(global.engine.store, repair);
  const auto exit_code = check.damaged.empty() || repair ? ExitCode::pass : ExitCode::unusable;
  if (global.json) {
    Json damaged = Json::array();
    for (const DamagedEntry& one : check.damaged)
      damaged.push_back({{"file", one.file.string()}, {"why", one.why}});
    Json left_over = Json::array();
    for (const auto& file : check.left_over) left_over.push_back(file.string());
    fmt::print("{}\n", Json{{"entries", check.entries},
                            {"damaged", std::move(damaged)},
                            {"left_over", std::move(left_over)},
                            {"repaired", repair}}
                           .dump(2));
    return exit_code;
  }
  for (const DamagedEntry& one : check.damaged)
    fmt::print("{}", wrapped(fmt::format("{} {}: {}", repair ? "deleted" : "damaged",
                                         one.file.string(), one.why),
                             2));
  for (const auto& file : check.left_over)
    fmt::print("{} {}: left over from a killed run\n", repair ? "deleted" : "useless",
               file.string());
  fmt::print("{} read, {} damaged\n", counted(check.entries, "entry"), check.damaged.size());
  if (!check.damaged.empty() && !repair)
    fmt::print(
        "what is damaged is never loaded; it is compiled again when it is needed, or "
        "deleted by:\n  {}\n",
        command_text(global, "cache verify --repair"));
  return exit_code;
}

ExitCode cache_prune(const GlobalOptions& global, const std::string& limit) {
  const std::int64_t bytes_max = limit.empty() ? global.engine.cache_bytes_max : parse_bytes(limit);
  const CodeCachePruned pruned = prune_code_cache(global.engine.store, bytes_max);
  if (global.json) {
    fmt::print("{}\n", Json{{"limit_bytes", bytes_max},
                            {"removed", pruned.removed.entries},
                            {"removed_bytes", pruned.removed.bytes},
                            {"kept", pruned.kept.entries},
                            {"kept_bytes", pruned.kept.bytes},
                            {"in_use_bytes", pruned.in_use_bytes}}
                           .dump(2));
    return ExitCode::pass;
  }
  fmt::print("removed {} ({}), kept {} ({}, limit {})\n", counted(pruned.removed.entries, "entry"),
             size_text(pruned.removed.bytes), pruned.kept.entries, size_text(pruned.kept.bytes),
             size_text(bytes_max));
  if (pruned.in_use_bytes > 0)
    fmt::print("{} are in use by a run and stay\n", size_text(pruned.in_use_bytes));
  return ExitCode::pass;
}

ExitCode cache_clear(const GlobalOptions& global) {
  const std::int64_t removed = clear_code_cache(global.engine.store);
  if (global.json)
    fmt::print("{}\n", Json{{"removed", removed}}.dump());
  else
    fmt::print("removed {} from {}; records of proofs and races are kept\n",
               counted(removed, "code object"), global.engine.store.string());
  return ExitCode::pass;
}

}  // namespace

ExitCode cache_command(const GlobalOptions& global, const CacheOptions& options) {
  require_store(global);
  if (options.action == "verify") return cache_verify(global, options.repair);
  if (options.action == "prune") return cache_prune(global, options.limit);
  if (options.action == "clear") return cache_clear(global);
  return cache_info(global);
}

}  // namespace fusetune

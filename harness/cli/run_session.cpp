#include "harness/cli/run_session.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "harness/base/error.hpp"
#include "harness/base/hash.hpp"
#include "harness/cli/command_line.hpp"
#include "harness/cli/interrupt.hpp"
#include "harness/compile/code_cache.hpp"

namespace fusetune {

RunSession::RunSession(const GlobalOptions& global, const std::string& campaign_name,
                       const Json& plan)
    : progress_(global.json ? std::unique_ptr<Progress>(std::make_unique<SilentProgress>())
                            : std::unique_ptr<Progress>(
                                  std::make_unique<ConsoleProgress>(global.terminal))),
      records_(RecordStore::open(global.engine.store, true)),
      code_(global.engine.store),
      session_{records_, code_, *progress_, global.engine, interrupted},
      exceptions_(std::uncaught_exceptions()) {
  records_.on_damage([](const std::string& message) {
    std::fputs(wrapped("warning: " + message, 2).c_str(), stderr);
  });
  code_.hold();
  if (!global.engine.retry_failed) code_.heed_quarantine();
  on_worker_death([this](const WorkerDeath& death) { records_.add_death(death); });
  records_.begin_run(hash_hex({campaign_name, plan.dump()}), campaign_name, plan);
}

RunSession::~RunSession() {
  on_worker_death({});
  try {
    const bool failed = std::uncaught_exceptions() > exceptions_;
    records_.end_run(failed ? "failed" : interrupted() ? "interrupted" : "finished");
    prune_code_cache(code_.root(), session_.options.cache_bytes_max);
  } catch (const std::exception&) {
    // The run's own end is a remark in the store; its steps are there already.
  }
}

void require_store(const GlobalOptions& global) {
  if (std::filesystem::exists(global.engine.store / "records.sqlite")) return;
  throw UserError(fmt::format("there is no store at {}; one is made by: {}",
                              global.engine.store.string(), command_text(global, "tune SWEEP")));
}

}  // namespace fusetune

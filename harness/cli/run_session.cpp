#include "harness/cli/run_session.hpp"

#include "harness/base/hash.hpp"
#include "harness/cli/interrupt.hpp"

namespace fusetune {

RunSession::RunSession(const GlobalOptions& global, const std::string& campaign_name)
    : progress_(global.json ? std::unique_ptr<Progress>(std::make_unique<SilentProgress>())
                            : std::unique_ptr<Progress>(
                                  std::make_unique<ConsoleProgress>(global.terminal))),
      records_(RecordStore::open(global.engine.store, true)),
      code_(global.engine.store),
      session_{records_, code_, *progress_, global.engine, interrupted} {
  records_.begin_run(hash_hex(campaign_name), campaign_name, Json::object());
}

RunSession::~RunSession() {
  try {
    records_.end_run(interrupted() ? "interrupted" : "finished");
  } catch (const std::exception&) {
    // The run's own end is a remark in the store; its steps are there already.
  }
}

}  // namespace fusetune

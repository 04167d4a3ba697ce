#pragma once
// The store, the progress display and the interrupt flag of one command, bundled as a Session.

#include <filesystem>
#include <memory>
#include <string>

#include "harness/cli/console_progress.hpp"
#include "harness/cli/options.hpp"
#include "harness/tune/session.hpp"

namespace fusetune {

class RunSession {
 public:
  /// Opens the store for this run alone. Throws UserError when it cannot be written or another run
  /// has it.
  /// The run belongs to the campaign of this plan; commands without one give what they work on.
  RunSession(const GlobalOptions& global, const std::string& campaign_name,
             const Json& plan = Json::object());
  ~RunSession();
  RunSession(const RunSession&) = delete;
  RunSession& operator=(const RunSession&) = delete;

  Session& session() { return session_; }

 private:
  std::unique_ptr<Progress> progress_;
  RecordStore records_;
  CodeStore code_;
  Session session_;
  int exceptions_;  ///< in flight when it began: one more at its end means that the run failed
};

/// Throws UserError when there is no store in this folder, and creates none.
void require_store(const GlobalOptions& global);

}  // namespace fusetune

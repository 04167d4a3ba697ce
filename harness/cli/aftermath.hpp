#pragma once
// What a command does after its campaign: an audit of the store, and the folders of quarantined
// code; both told behind the campaign's summary.

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "harness/cli/options.hpp"
#include "harness/cli/quarantine.hpp"
#include "harness/tune/audit.hpp"

namespace fusetune {

/// Audits when the options ask for it; `again` runs the campaign and says whether it was cut short.
AuditReport audit_as_asked(const AuditOptions& options, Session& session,
                           const std::function<bool(Session&)>& again);

struct Aftermath {
  const AuditReport& audit;
  const std::vector<std::filesystem::path>& quarantined;

  std::string text() const;
  void add_to(Json& document) const;
};

}  // namespace fusetune

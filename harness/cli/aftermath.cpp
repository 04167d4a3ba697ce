#include "harness/cli/aftermath.hpp"

#include <fmt/format.h>

#include <random>

namespace fusetune {

AuditReport audit_as_asked(const AuditOptions& options, Session& session,
                           const std::function<bool(Session&)>& again) {
  if (options.share <= 0 || session.stop()) return {};
  std::uint64_t seed = options.seed;
  std::random_device random;
  while (seed == 0) seed = random();
  return audit_store(session, options.share, seed, again);
}

std::string Aftermath::text() const {
  std::string out;
  for (const std::filesystem::path& folder : quarantined)
    out += wrapped(
        fmt::format("in quarantine, with all that shows it again: {}/reproduce", folder.string()),
        2);
  if (!audit.done) return out;
  out += wrapped(
      fmt::format("audit of {:g} % with --audit-seed {}: {} and {} done again, {}{}",
                  100 * audit.share, audit.seed, counted(audit.proofs, "proof"),
                  counted(audit.races, "race"), counted(std::ssize(audit.findings), "difference"),
                  audit.interrupted ? ", interrupted" : ""),
      2);
  for (const AuditFinding& finding : audit.findings)
    out += wrapped(
        fmt::format("  the record of the {} {} ({}) does not hold: {}", to_string(finding.kind),
                    finding.key.substr(0, 12), finding.subject, finding.what),
        4);
  if (!audit.findings.empty())
    out += "  the records are kept; a store that does not hold is best given up (--store)\n";
  return out;
}

void Aftermath::add_to(Json& document) const {
  Json folders = Json::array();
  for (const std::filesystem::path& folder : quarantined) folders.push_back(folder.string());
  document["quarantined"] = std::move(folders);
  if (!audit.done) return;
  Json findings = Json::array();
  for (const AuditFinding& finding : audit.findings)
    findings.push_back({{"kind", std::string(to_string(finding.kind))},
                        {"key", finding.key},
                        {"subject", finding.subject},
                        {"what", finding.what}});
  document["audit"] = {{"share", audit.share},
                       {"seed", audit.seed},
                       {"proofs", audit.proofs},
                       {"races", audit.races},
                       {"interrupted", audit.interrupted},
                       {"findings", std::move(findings)}};
  document["exit_code"] = static_cast<int>(
      worst_of(static_cast<ExitCode>(document["exit_code"].get<int>()), audit.exit_code()));
}

}  // namespace fusetune

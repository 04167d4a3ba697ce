#pragma once
// One function per command; each prints, and returns the process' exit code. UserError goes to
// main().

#include "harness/base/status.hpp"
#include "harness/cli/options.hpp"

namespace fusetune {

ExitCode tune_command(const GlobalOptions& global, const TuneOptions& options);
ExitCode verify_command(const GlobalOptions& global, const VerifyOptions& options);
ExitCode golden_command(const GlobalOptions& global, const GoldenOptions& options);
ExitCode inspect_command(const GlobalOptions& global, const InspectOptions& options);
ExitCode refresh_command(const GlobalOptions& global, const RefreshOptions& options);
ExitCode gate_command(const GlobalOptions& global, const GateOptions& options);
ExitCode baseline_command(const GlobalOptions& global, const BaselineOptions& options);
ExitCode explain_command(const GlobalOptions& global, const ExplainOptions& options);
ExitCode report_command(const GlobalOptions& global, const ReportOptions& options);
ExitCode selftest_command(const GlobalOptions& global, const SelftestOptions& options);
ExitCode list_command(const GlobalOptions& global, const std::string& what);
ExitCode devices_command(const GlobalOptions& global);
ExitCode doctor_command(const GlobalOptions& global, const DoctorOptions& options);
/// With what this build can compile for and run on; `fusetune devices` says why not the rest.
std::string version_text();
ExitCode cache_command(const GlobalOptions& global, const CacheOptions& options);
ExitCode records_command(const GlobalOptions& global, const RecordsOptions& options);
ExitCode export_command(const GlobalOptions& global, const ExportOptions& options);
ExitCode import_command(const GlobalOptions& global, const ImportOptions& options);

}  // namespace fusetune

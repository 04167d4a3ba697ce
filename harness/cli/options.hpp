#pragma once
// What the commands take from the command line, as plain data.

#include <filesystem>
#include <string>
#include <vector>

#include "harness/cli/terminal.hpp"
#include "harness/tune/session.hpp"

namespace fusetune {

/// Given before the command, valid for all of them.
struct GlobalOptions {
  EngineOptions engine;
  bool json = false;
  std::string program = "fusetune";  ///< as it was called
  Terminal terminal;
};

/// Which geometries and variants a command works on, without a sweep file.
struct SelectionOptions {
  std::vector<std::string> models;  ///< "qwen3.5-27b", "all"
  std::vector<std::string> tp;      ///< "8", "all"; every split when empty
  std::vector<std::string>
      options;  ///< "layout=merged", "act=fp32", "nk=4": options, dtypes and symbols
  std::vector<std::int64_t> tokens;
  std::string space;    ///< empty: pairwise, of a sweep its own
  std::string variant;  ///< a variant key; empty: the space
};

/// A random share of what was found in the store is proved and timed again.
struct AuditOptions {
  double share = 0;        ///< of 1; 0: no audit
  std::uint64_t seed = 0;  ///< which ones; 0: drawn anew
};

struct TuneOptions {
  std::filesystem::path sweep;
  std::string device;                 ///< instead of the sweep's
  std::string space;                  ///< instead of the sweep's
  double budget_s = 0;                ///< instead of the sweep's
  std::vector<std::string> families;  ///< of the sweep's, those to tune; empty: all
  bool dry_run = false;
  std::string target;  ///< of a dry run, in place of that of the device: it need not be here
  AuditOptions audit;
};

struct VerifyOptions {
  std::string what;  ///< family, case key or sweep file
  std::vector<std::string> devices;
  SelectionOptions selection;
  bool batch_invariant = false;  ///< as if the sweep asked for it
  AuditOptions audit;
};

struct GoldenOptions {
  std::vector<std::filesystem::path> files;
  std::vector<std::string> devices;
  std::string space = "pairwise";
  bool cases = false;             ///< a line for each
  std::vector<std::string> only;  ///< names of cases; all when empty
};

struct InspectOptions {
  std::string family;
  std::string case_key;
  std::string target = "gfx90a";
  bool log = false;
  SelectionOptions selection;
};

struct RefreshOptions {
  std::string device;  ///< empty: every device
  std::string family;  ///< empty: all
};

struct DoctorOptions {
  std::string device = "host-w64";
};

struct ExplainOptions {
  std::string case_key;
  std::string device = "host-w64";
};

struct ReportOptions {
  std::string device;             ///< empty: every device
  std::filesystem::path out;      ///< the page; empty: report.html, or none where `svg` is given
  std::filesystem::path svg;      ///< folder of the pictures; empty: none
  std::filesystem::path against;  ///< another store or results folder; empty: none
  std::filesystem::path peers;    ///< CSV; empty: none
};

struct CacheOptions {
  std::string action = "info";
  std::string limit;    ///< of prune; empty: the store's
  bool repair = false;  ///< of verify
};

struct RecordsOptions {
  std::string action = "list";
  std::string kind, status, family;  ///< which records; all when empty
  std::int64_t run = 0;
  std::string what;               ///< of show: the beginning of a key, or part of a subject
  std::filesystem::path file;     ///< of export
  bool salvage = false;           ///< of export
  std::vector<std::string> from;  ///< of merge: files and stores
};

/// To the formats of other tools.
struct ExportOptions {
  std::string format;
  std::filesystem::path out = "export";  ///< a folder, or the name of the one file
  std::string family, device, case_key;  ///< which results; all when empty
};

/// From the formats of other tools.
struct ImportOptions {
  std::string format;
  std::filesystem::path file;
  std::filesystem::path out;    ///< gets the records as one document; empty: none
  std::filesystem::path sweep;  ///< gets a sweep of the fastest; empty: none
  std::string case_key;         ///< that the sweep races
  std::string device = "host-w64";
  std::int64_t top = 16;  ///< variants of the sweep
};

struct GateOptions {
  std::filesystem::path sweep;
  bool without_clock = false;          ///< --static
  std::vector<std::string> families;   ///< of the sweep; all when empty
  std::string explain;                 ///< a case
  bool strict = false;                 ///< what is undecided fails
  bool require_baseline = false;       ///< what has no baseline fails
  std::filesystem::path junit, sarif;  ///< files to write; none when empty
  std::filesystem::path summary;       ///< to append to
  std::filesystem::path report;        ///< JSON
  bool annotations = false;            ///< of GitHub Actions, on stdout
  bool accept = false;                 ///< static: what is seen is what is accepted from now on
  std::filesystem::path accepted;      ///< static: folder of accepted facts
  std::filesystem::path rules;         ///< static
  std::vector<std::string> targets;    ///< static: in place of both hosts and also_compile
  std::string device;                  ///< timed
  std::filesystem::path baseline;      ///< timed
  std::filesystem::path anchor;        ///< timed
  std::vector<std::string> deltas;     ///< timed: "3%", "FAMILY=5%"
};

struct BaselineOptions {
  std::string action;              ///< accept, show, diff
  std::filesystem::path sweep;     ///< of accept
  std::string device;              ///< of accept, instead of the sweep's
  std::filesystem::path file;      ///< default: baseline.yaml in the device's results
  std::filesystem::path from, to;  ///< of diff
};

struct SelftestOptions {
  std::string family;
  std::vector<std::string> mutants;  ///< by name; all when empty
  std::vector<std::string> devices;
  std::vector<std::string> modes;  ///< "exact", "fast"; both when empty
  int seeds = 3;
  std::string without;         ///< a group of checks to switch off
  bool timed = false;          ///< what is planted on the path that is timed, and nothing else
  std::string timed_case;      ///< in place of its own cases
  std::filesystem::path docs;  ///< gets the tables; empty: none
};

}  // namespace fusetune

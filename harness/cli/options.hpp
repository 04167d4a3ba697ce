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
  std::string space = "pairwise";
  std::string variant;  ///< a variant key; empty: the space
};

struct TuneOptions {
  std::filesystem::path sweep;
  std::string device;   ///< instead of the sweep's
  std::string space;    ///< instead of the sweep's
  double budget_s = 0;  ///< instead of the sweep's
  bool dry_run = false;
};

struct VerifyOptions {
  std::string what;  ///< family, case key or sweep file
  std::vector<std::string> devices;
  SelectionOptions selection;
  bool batch_invariant = false;  ///< as if the sweep asked for it
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

struct ExplainOptions {
  std::string case_key;
  std::string device = "host-w64";
};

struct SelftestOptions {
  std::string family;
  std::vector<std::string> mutants;  ///< by name; all when empty
  std::vector<std::string> devices;
  std::vector<std::string> modes;  ///< "exact", "fast"; both when empty
  int seeds = 3;
  std::string without;         ///< a group of checks to switch off
  std::filesystem::path docs;  ///< gets the tables; empty: none
};

}  // namespace fusetune

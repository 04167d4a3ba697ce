#pragma once
// Commands by what they work on, for add_commands().

#include "harness/arguments.hpp"

namespace fusetune {

CLI::Validator above_zero();

/// Judging a change: gate and baseline.
void add_gate(CLI::App& app, Program& program);
void add_baseline(CLI::App& app, Program& program);

/// What a store holds: cache, records, export and import.
void add_cache(CLI::App& app, Program& program);
void add_records(CLI::App& app, Program& program);
void add_exchange(CLI::App& app, Program& program);

}  // namespace fusetune

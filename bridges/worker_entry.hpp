#pragma once
// Bridges are programs of their own, and the engine starts its workers from the program that it is
// in: "PROGRAM worker ROLE --in-fd N ...".

#include <optional>

namespace fusetune::bridge {

/// Serves where the program was started as a worker: its exit code. Nothing otherwise.
std::optional<int> serve_as_worker(int argc, char** argv);

/// The whole of main(): serves as a worker, or runs, and tells what was thrown by its exit code.
int serve_or_run(int argc, char** argv, int (*run)(int, char**));

}  // namespace fusetune::bridge

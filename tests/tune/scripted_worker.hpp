#pragma once
// Compile and device workers that compile and run nothing: what they answer follows from the
// request, how long they take from the environment. Each writes to a common file when it begins and
// ends a job.

namespace fusetune::test {

// In the environment of the test:
constexpr const char* kScriptLog = "FUSETUNE_SCRIPT_LOG";    ///< the file, "begin race CASE"
constexpr const char* kScriptSeed = "FUSETUNE_SCRIPT_SEED";  ///< of how long jobs take, 0: no time
/// Compilations with this macro ("FT_NV=6") end after the first race has ended, or after 20 s.
constexpr const char* kScriptHold = "FUSETUNE_SCRIPT_HOLD";

int run_scripted_worker(int argc, char** argv);

}  // namespace fusetune::test

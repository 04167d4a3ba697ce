// fusetune_gtest SWEEP [--device D] [--space S] [--store FOLDER] [GoogleTest's own options]

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "bridges/proof_tests.hpp"
#include "bridges/worker_entry.hpp"
#include "harness/base/error.hpp"
#include "harness/base/status.hpp"
#include "harness/cli/interrupt.hpp"

namespace fusetune::bridge {
namespace {

bool is_sharded() {
  const char* total = std::getenv("GTEST_TOTAL_SHARDS");
  return total != nullptr && std::string_view(total) != "1";
}

int run_tests(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);  // takes its own options away
  CLI::App app("fusetune_gtest: every proof of a sweep as a test; --gtest_help for GoogleTest's",
               "fusetune_gtest");
  ProofTestOptions options;
  app.add_option("SWEEP", options.sweep, "Sweep file")->required();
  app.add_option("--device", options.device, "Instead of the sweep's");
  app.add_option("--space", options.space, "Instead of the sweep's: full, pairwise, or N");
  app.add_option("--store", options.store, "Kept between runs (default: of this run alone)");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::usage);
  }
  catch_interrupts();
  if (register_proofs(options) == 0) throw UserError("the sweep has no variant to prove");
  const int failed = RUN_ALL_TESTS();
  if (testing::GTEST_FLAG(list_tests)) return 0;
  // A filter that hits nothing looks like success; one shard of many may be empty.
  if (testing::UnitTest::GetInstance()->test_to_run_count() == 0 && !is_sharded()) {
    std::fprintf(stderr, "error: no proof was selected, so nothing was compared\n");
    return static_cast<int>(ExitCode::unusable);
  }
  return failed;
}

}  // namespace
}  // namespace fusetune::bridge

int main(int argc, char** argv) {
  return fusetune::bridge::serve_or_run(argc, argv, fusetune::bridge::run_tests);
}

// The tests of the campaign are their own workers: "test_tune worker ROLE" is what a pool starts.

#include <gmock/gmock.h>

#include <cstring>

#include "tests/tune/scripted_worker.hpp"

int main(int argc, char** argv) {
  if (argc > 2 && std::strcmp(argv[1], "worker") == 0)
    return fusetune::test::run_scripted_worker(argc, argv);
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}

// What a person sees of a campaign while it runs.

#include "harness/cli/console_progress.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <string>
#include <thread>

namespace fusetune {
namespace {

using testing::HasSubstr;
using testing::Not;

/// What is drawn at the first tick after a pause that allows it.
std::string drawn(ConsoleProgress& progress) {
  std::this_thread::sleep_for(std::chrono::milliseconds(120));
  testing::internal::CaptureStderr();
  progress.tick();
  return testing::internal::GetCapturedStderr();
}

Terminal terminal() {
  Terminal result;
  result.is_terminal = true;
  return result;
}

TEST(ConsoleProgress, ALongStepSaysHowFarItIs) {
  ConsoleProgress progress(terminal());
  progress.begin("race", 2, 0);
  EXPECT_THAT(drawn(progress), HasSubstr("0/2"));
  progress.within("race", "812 of 4097 probed");
  EXPECT_THAT(drawn(progress), HasSubstr("0/2 (812 of 4097 probed)"));
  progress.within("no such stage", "1 of 2 probed");
  EXPECT_THAT(drawn(progress), HasSubstr("(812 of 4097 probed)"));
  // With others beside it, too.
  progress.begin("prove", 9, 0);
  progress.advance("prove", StepEnd::done);
  const std::string both = drawn(progress);
  EXPECT_THAT(both, HasSubstr("race 0/2 (812 of 4097 probed)"));
  EXPECT_THAT(both, HasSubstr("prove 1/9"));
  progress.advance("race", StepEnd::done);
  EXPECT_THAT(drawn(progress), Not(HasSubstr("probed"))) << "the next step has not begun";
}

}  // namespace
}  // namespace fusetune

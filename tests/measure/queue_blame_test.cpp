// Whom a race blames for what happens in a queue that holds launches of two arms, and what it told
// its supervisor before it waited.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/measure/race.hpp"
#include "tests/measure/scripted_device.hpp"

namespace fusetune {
namespace {

using testing::ScriptedDevice;
using testing::ScriptedRace;

/// Launches return before they run, and what one of them breaks is told by whatever comes next.
class ScriptedQueue : public ScriptedDevice {
 public:
  int faulty_arm = -1;
  std::int64_t faulty_launch = 0;  ///< the how many-th of that arm
  std::int32_t noted = -2;
  double noted_us = 0;
  int unexpected = 0;           ///< spans of which nothing was known
  std::int64_t most_ahead = 0;  ///< launches of a span that others were before, unread

  QueueTraits queue() const override {
    QueueTraits traits;
    traits.asynchronous = true;
    return traits;
  }

  Outcome launch(const LoadedCode& code, const KernelLaunch& one) override {
    const Outcome launch_outcome = ScriptedDevice::launch(code, one);
    if (launched.back() == faulty_arm && ++faulty_launches_ == faulty_launch) broken_ = true;
    if (launched[passed_] != launched.back())
      most_ahead = std::max(most_ahead, std::ssize(launched) - std::ssize(passed()));
    return launch_outcome;
  }

  void end_span(SpanTicket& span) override {
    ScriptedDevice::end_span(span);
    span.id = std::ssize(launched);
  }

  Outcome read_span(const SpanTicket& span, SpanTime* time) override {
    time->us = span.end_us - span.begin_us;
    if (span.id > 0 && std::ssize(launched) > 0) {
      const auto last = static_cast<std::size_t>(span.id) - 1;
      if (last >= passed_) {
        EXPECT_EQ(noted, launched[last]) << "what hangs now has another name";
        if (noted_us > 0)
          EXPECT_NEAR(noted_us, time->us, 1e-6 * time->us);
        else
          ++unexpected;
        passed_ = last + 1;
      }
    }
    return synchronize();
  }

  Outcome synchronize() override {
    return broken_ ? Outcome{Status::kernel_fault, "somebody fell"} : Outcome{};
  }

 private:
  std::span<const int> passed() const { return {launched.data(), passed_}; }

  std::size_t passed_ = 0;
  std::int64_t faulty_launches_ = 0;
  bool broken_ = false;
};

RaceResult run(ScriptedQueue& device, const ScriptedRace& set, RaceOptions options = {}) {
  options.check_lists = 0;  // its launches write nothing
  return race(device, set.arms, set.which, options, [&device](const NextSpan& next) {
    device.noted = next.arm;
    device.noted_us = next.expected_us;
  });
}

TEST(QueueBlame, TheNoteIsOfTheArmThatIsWaitedFor) {
  ScriptedQueue device;
  // Two spans are more launches than may wait.
  device.launch_us = [](int arm, double) { return 4.0 + 0.1 * arm; };
  const ScriptedRace set(3);
  const RaceResult result = run(device, set);
  ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
  EXPECT_EQ(result.path, "stream");
  EXPECT_GT(device.most_ahead, 256)
      << "the next span is in the queue before the one before it ends";
  EXPECT_LE(device.most_ahead, 512) << "and never waits for room behind another arm";
  EXPECT_EQ(device.unexpected, 3) << "the first of each arm";
}

TEST(QueueBlame, AFaultBesideAnotherArmIsFoundOneByOne) {
  const ScriptedRace set(3);
  int doubtful = 0;
  for (const std::int64_t at : {1, 2000, 20000, 20300, 21000}) {
    ScriptedQueue device;
    device.launch_us = [](int, double) { return 10.0; };
    device.faulty_arm = 1;
    device.faulty_launch = at;
    RaceResult result = run(device, set);
    ASSERT_EQ(result.outcome.status, Status::kernel_fault) << at;
    doubtful += result.unsure ? 1 : 0;
    if (!result.unsure) {
      EXPECT_EQ(result.failed_arm, 1) << at;
    }
    ScriptedQueue again;
    again.launch_us = device.launch_us;
    again.faulty_arm = 1;
    again.faulty_launch = at;
    RaceOptions options;
    options.one_by_one = true;
    result = run(again, set, options);
    ASSERT_EQ(result.outcome.status, Status::kernel_fault) << at;
    EXPECT_EQ(result.failed_arm, 1) << at;
    EXPECT_FALSE(result.unsure);
  }
  EXPECT_GE(doubtful, 1);
}

}  // namespace
}  // namespace fusetune

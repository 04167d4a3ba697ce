// What a measurement asks of a queue, answered by the simulated device's virtual clocks.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "harness/base/files.hpp"
#include "harness/base/temporary_folder.hpp"
#include "harness/compile/simulated_code.hpp"
#include "harness/device/simulated/simulated_device.hpp"

namespace fusetune {
namespace {

using ::testing::HasSubstr;

/// A launch of `us` microseconds on memory of its own.
class QueueOfScript : public ::testing::Test {
 protected:
  QueueOfScript() {
    simulation_.queue.asynchronous = true;
    simulation_.queue.tick_us = 0;
    simulation_.times["simulated_rows_plain"].nanoseconds = "time_ns";
  }

  /// The script is complete.
  void open(std::int64_t time_ns = 10000) {
    code_.reset();
    memory_ = 0;
    device_ = std::make_unique<SimulatedDevice>(parse_target("simulated"), simulation_);
    SimulatedCode code;
    for (const char* tensor : {"qkvz", "ba", "mixed_qkv", "z", "b", "a"})
      code.entries["simulated_rows_plain"].push_back({Argument::Kind::tensor, tensor});
    code.entries["simulated_rows_plain"].push_back({Argument::Kind::symbol, "tokens"});
    code.macros = {{"FT_QKV_WIDTH", "8"},
                   {"FT_Z_WIDTH", "4"},
                   {"FT_NV", "2"},
                   {"FT_TIME_NS", std::to_string(time_ns)}};
    const auto file = folder_.path() / "code";
    write_file_atomic(file, to_bytes(code, 256));
    Outcome outcome;
    code_ = device_->load(file.string(), &outcome);
    ASSERT_TRUE(outcome.ok()) << outcome.message;
  }

  KernelLaunch launch_at(DevicePointer memory) const {
    KernelLaunch launch;
    launch.entry = "simulated_rows_plain";
    for (std::size_t i = 0; i < 6; ++i) launch.arguments.emplace_back(memory + 64 * i);
    launch.arguments.emplace_back(std::int64_t{1});
    return launch;
  }
  KernelLaunch launch() {
    if (memory_ == 0) memory_ = device_->allocate(4096, Place::low);
    return launch_at(memory_);
  }

  SpanTime timed(int launches) {
    SpanTicket span = device_->begin_span();
    for (int i = 0; i < launches; ++i) EXPECT_TRUE(device_->launch(*code_, launch()).ok());
    device_->end_span(span);
    SpanTime time;
    EXPECT_TRUE(device_->read_span(span, &time).ok());
    return time;
  }

  TemporaryFolder folder_{"simulated-queue"};
  Simulation simulation_;
  std::unique_ptr<SimulatedDevice> device_;
  std::unique_ptr<LoadedCode> code_;
  DevicePointer memory_ = 0;
};

TEST_F(QueueOfScript, WithoutOneLaunchesAreDoneWhenTheyReturn) {
  simulation_.queue = {};
  open();
  EXPECT_FALSE(device_->queue().asynchronous);
  EXPECT_NEAR(timed(5).us, 50, 1e-9);
  EXPECT_NEAR(device_->host_us(), 50, 1e-9);
  Outcome outcome;
  EXPECT_EQ(device_->record({}, &outcome), nullptr);
  EXPECT_FALSE(outcome.ok());
}

TEST_F(QueueOfScript, LongKernelsHideWhatALaunchCostsThisMachine) {
  simulation_.queue.launch_us = 4;
  simulation_.queue.launch_gap_us = 1;
  open(10000);
  EXPECT_NEAR(timed(100).us, 4 + 100 * 11.0, 1e-9) << "the first one is waited for";
  open(2000);
  EXPECT_NEAR(timed(100).us, 100 * 4 + 3.0, 1e-9) << "short ones wait for their launches";
}

TEST_F(QueueOfScript, ASpanThatWaitsBehindAnotherHidesItsFirstLaunch) {
  open();
  memory_ = device_->allocate(4096, Place::low);
  SpanTicket spans[2];
  for (SpanTicket& span : spans) {
    span = device_->begin_span();
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(device_->launch(*code_, launch()).ok());
    device_->end_span(span);
  }
  const double before_us = device_->host_us();
  EXPECT_NEAR(before_us, 20 * 4, 1e-9) << "nothing was waited for";
  SpanTime first, second;
  ASSERT_TRUE(device_->read_span(spans[0], &first).ok());
  const double between_us = device_->host_us();
  ASSERT_TRUE(device_->read_span(spans[1], &second).ok());
  EXPECT_NEAR(second.us, 110, 1e-9);
  EXPECT_NEAR(device_->host_us() - between_us, 110, 1e-9) << "two clocks, one span";
  EXPECT_THROW(static_cast<void>(device_->read_span(spans[1], &second)), std::logic_error);
}

TEST_F(QueueOfScript, AFullQueueHoldsThisMachineBack) {
  simulation_.queue.depth = 8;
  open(100000);
  memory_ = device_->allocate(4096, Place::low);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(device_->launch(*code_, launch()).ok());
  EXPECT_GT(device_->host_us(), 11 * 100.0);
  EXPECT_LT(device_->host_us(), 14 * 101.0);
}

TEST_F(QueueOfScript, AGraphStartsOnceAndItsLaunchesFollowClosely) {
  open(1000);
  const std::vector<QueuedLaunch> list(100, {code_.get(), launch()});
  Outcome outcome;
  const auto graph = device_->record(list, &outcome);
  ASSERT_TRUE(outcome.ok());
  SpanTicket span = device_->begin_span();
  EXPECT_TRUE(device_->replay(*graph).ok());
  device_->end_span(span);
  SpanTime time;
  EXPECT_TRUE(device_->read_span(span, &time).ok());
  EXPECT_NEAR(time.us, 4 + 8 + 100 * 1.5, 1e-9);
}

TEST_F(QueueOfScript, WhatCannotBeCapturedSaysSo) {
  simulation_.queue.graphs = false;
  open();
  const QueuedLaunch one{code_.get(), launch()};
  Outcome outcome;
  EXPECT_EQ(device_->record({&one, 1}, &outcome), nullptr);
  EXPECT_THAT(outcome.message, HasSubstr("captured"));
}

TEST_F(QueueOfScript, TheCoreClockShowsCoreThrottlingOnly) {
  simulation_.throttling = {{0, 3000, 2, true}, {3000, 1e9, 2, false}};
  open();
  const SpanTime core = timed(100);
  EXPECT_GT(core.us, 2000);
  EXPECT_NEAR(core.core_mhz, 750, 1);
  device_->rest(3000);
  const SpanTime memory = timed(100);
  EXPECT_GT(memory.us, 2000);
  EXPECT_NEAR(memory.core_mhz, 1500, 1);
}

TEST_F(QueueOfScript, TicksAreAsCoarseAsTheScriptSays) {
  simulation_.queue.tick_us = 16;
  open(1000);
  for (int i = 1; i < 9; ++i) EXPECT_EQ(std::fmod(timed(i).us, 16), 0);
}

TEST_F(QueueOfScript, CachedDataIsFasterUntilTheRingIsLargerThanTheCache) {
  simulation_.queue.cached = 0.5;
  simulation_.cache_bytes = 500;  // a launch touches 64 bytes
  open();
  const auto sweep = [&](std::int64_t sets) {
    const DevicePointer ring = device_->allocate(static_cast<std::size_t>(4096 * sets), Place::low);
    double us = 0;
    for (int turn = 0; turn < 2; ++turn) {
      SpanTicket span = device_->begin_span();
      for (std::int64_t set = 0; set < sets; ++set)
        EXPECT_TRUE(
            device_->launch(*code_, launch_at(ring + static_cast<std::size_t>(4096 * set))).ok());
      device_->end_span(span);
      SpanTime time;
      EXPECT_TRUE(device_->read_span(span, &time).ok());
      us = time.us / static_cast<double>(sets);
    }
    return us;
  };
  EXPECT_LT(sweep(7), 8);
  EXPECT_GT(sweep(9), 10);
}

TEST_F(QueueOfScript, AnotherStreamIsSeenByThisMachinesClockAlone) {
  SimulatedFault fault;
  fault.kind = SimulatedFault::Kind::other_stream;
  simulation_.faults = {fault};
  open();
  timed(1);
  const double from_us = device_->host_us();
  EXPECT_LT(timed(100).us, 110);
  EXPECT_GT(device_->host_us() - from_us, 1000);
}

TEST_F(QueueOfScript, MemoryIsCountedAndCopiedWithin) {
  simulation_.memory_bytes = 10000;
  simulation_.other_users = {"somebody, 3 GiB"};
  open();
  const DevicePointer memory = device_->allocate(4096, Place::low);
  EXPECT_EQ(device_->free_bytes(), 10000 - 4096);
  const std::vector<char> text{'a', 'b', 'c'};
  device_->copy_to(memory, text.data(), 3);
  device_->copy_within(memory + 100, memory, 3);
  std::vector<char> read(3);
  device_->copy_from(read.data(), memory + 100, 3);
  EXPECT_EQ(read, text);
  EXPECT_THROW(device_->copy_within(memory + 4095, memory, 3), std::out_of_range);
  EXPECT_EQ(device_->other_users()->size(), 1U);
}

}  // namespace
}  // namespace fusetune

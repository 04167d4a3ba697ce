// What the doctor finds out about simulated devices whose truth is in their scripts.

#include "harness/measure/calibration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "harness/base/files.hpp"
#include "harness/base/temporary_folder.hpp"
#include "harness/compile/simulated_code.hpp"
#include "harness/measure/calibration_kernels.hpp"
#include "tests/measure/simulated_race.hpp"

namespace fusetune {
namespace {

using ::testing::HasSubstr;

Simulation examined_gpu() {
  Simulation script = testing::quiet_gpu();
  script.queue.copy_bytes_per_us = 2000;
  script.queue.cached = 0.4;
  script.cache_bytes = 128 << 10;
  script.memory_bytes = 8 << 20;
  return script;
}

Calibration examine(const Simulation& script) {
  const TemporaryFolder folder("calibration");
  SimulatedDevice device(parse_target("simulated"), script);
  const CompileRequest request = calibration_request(parse_target("simulated"));
  SimulatedCode code;
  for (std::size_t i = 0; i < request.entries.size(); ++i)
    code.entries[request.entries[i]] = request.signatures[i];
  write_file_atomic(folder.path() / "code", to_bytes(code, 256));
  Outcome outcome;
  const auto loaded = device.load((folder.path() / "code").string(), &outcome);
  return calibrate(device, *loaded, 1);
}

TEST(Calibration, FindsWhatTheScriptSays) {
  Simulation script = examined_gpu();
  script.other_users = {"somebody, 1 GiB"};
  const Calibration found = examine(script);
  ASSERT_TRUE(found.outcome.ok()) << found.outcome.message;
  EXPECT_TRUE(found.asynchronous);
  EXPECT_NEAR(found.tick_us, 0.5, 0.01);
  ASSERT_EQ(found.floors.size(), 2U);
  EXPECT_NEAR(found.floors[0].us, 4, 0.1) << "this machine's launches, which nothing hides";
  EXPECT_LT(found.floors[1].us, found.floors[0].us);
  EXPECT_EQ(found.cache_bytes, 128 << 10);
  EXPECT_NEAR(found.core_mhz, 1500, 1);
  EXPECT_EQ(found.other_users->size(), 1U);
  for (const Bandwidth& one : found.bandwidth) EXPECT_NEAR(one.gb_s, 2, 0.1) << one.mix;
  EXPECT_TRUE(found.can_gate());
  EXPECT_NEAR(found.gate_share(), 0.03, 1e-9);
  EXPECT_EQ(to_json(calibration_from_json(to_json(found))), to_json(found));
}

TEST(Calibration, NoiseIsToldFromAChange) {
  Simulation script = examined_gpu();
  script.noise.sample = 0.25;
  const Calibration found = examine(script);
  ASSERT_TRUE(found.outcome.ok()) << found.outcome.message;
  EXPECT_FALSE(found.can_gate());
  EXPECT_GT(found.gate_share(), 0.03);
}

TEST(Calibration, KernelsThatComputeSomethingElseAreNotTimed) {
  for (const char* entry : {"calibrate_read", "calibrate_fill", "calibrate_copy", "calibrate_add",
                            "calibrate_strided", "calibrate_spin"}) {
    Simulation script = examined_gpu();
    SimulatedFault fault;
    fault.kind = SimulatedFault::Kind::wrong_result;
    fault.entry = entry;
    script.faults = {fault};
    const Calibration found = examine(script);
    EXPECT_EQ(found.outcome.status, Status::verification_failed) << entry;
    EXPECT_THAT(found.outcome.message, HasSubstr(entry));
    EXPECT_FALSE(found.can_gate());
  }
}

TEST(Calibration, AFailedLaunchAndTooLittleMemoryAreOutcomes) {
  Simulation script = examined_gpu();
  SimulatedFault fault;
  fault.kind = SimulatedFault::Kind::kernel_fault;
  fault.launch = 50;
  script.faults = {fault};
  EXPECT_EQ(examine(script).outcome.status, Status::kernel_fault);
  script = examined_gpu();
  script.memory_bytes = 4096;
  EXPECT_EQ(examine(script).outcome.status, Status::out_of_memory);
}

}  // namespace
}  // namespace fusetune

// Every call of the runtime fails once, each time that a run makes it: the right status, a message
// that names the call and the error, nothing left behind.

#include <gmock/gmock.h>

#include <set>

#include "device_use.hpp"
#include "harness/device/device_error.hpp"
#include "harness/device/hip/hip_object.hpp"
#include "tests/fake_hip/fake_hip.hpp"

namespace fusetune {
namespace {

using test::DeviceUse;
using test::MakeDevice;
using test::Told;
using testing::AllOf;
using testing::HasSubstr;

struct Expected {
  hipError_t error;
  bool sticky;
  Status status;
  const char* name;
};

constexpr Expected kFailures[] = {
    {hipErrorUnknown, false, Status::launch_error, "hipErrorUnknown"},
    {hipErrorOutOfMemory, false, Status::out_of_memory, "hipErrorOutOfMemory"},
    {hipErrorIllegalAddress, true, Status::kernel_fault, "hipErrorIllegalAddress"},
    {hipErrorLaunchTimeOut, true, Status::kernel_timeout, "hipErrorLaunchTimeOut"},
};

/// Of these nobody needs to be told: things were given back as well as can be, or what is missing
/// is a remark.
bool may_be_silent(const std::string& call) {
  static const std::set<std::string> calls = {
      "hipFree",
      "hipHostFree",
      "hipEventDestroy",
      "hipStreamDestroy",
      "hipModuleUnload",
      "hipGraphDestroy",
      "hipGraphExecDestroy",
      "hipDeviceGetUuid",      // a GPU without a UUID
      "hipDriverGetVersion",   // version 0
      "hiprtcCompileProgram",  // a span without the cores' clock
  };
  return calls.contains(call);
}

std::string place_of(const std::string& call, int nth, const Expected& expected) {
  return call + " number " + std::to_string(nth) + " with " + expected.name;
}

/// What is wrong with how a device took a failure; empty when nothing is.
std::string fault_of_use(const DeviceUse& use, const std::string& call, const Expected& expected) {
  if (!fake_hip::failed()) return "the call was not made";
  if (const std::string leaks = fake_hip::leaks(); !leaks.empty()) return "left behind: " + leaks;
  if (use.told.empty()) return may_be_silent(call) ? "" : "nobody was told";
  const Told& first = use.told.front();
  const bool memory = expected.error == hipErrorOutOfMemory;
  const bool says_both = first.message.find(call) != std::string::npos &&
                         first.message.find(expected.name) != std::string::npos;
  // Fatal faults are met again by the calls behind a silent one.
  if (!may_be_silent(call) && !says_both && !(memory && first.message == "std::bad_alloc") &&
      !(memory && first.message.find("memory is all in use") != std::string::npos))
    return "told only: " + first.message;
  if (use.opened && first.status != expected.status)
    return "the status is " + std::string(to_string(first.status));
  if (use.opened && use.lost != expected.sticky)
    return use.lost ? "the device is lost without a fault" : "a fault did not cost the device";
  if (!expected.sticky && use.told.size() > 1)
    return "told twice, then: " + use.told[1].step + ": " + use.told[1].message;
  return "";
}

/// Runs a device once for every call that a run makes.
std::vector<std::string> faults_found(const MakeDevice& make, const Expected& expected) {
  fake_hip::reset();
  test::use_device(make);
  const std::map<std::string, int> calls = fake_hip::calls();
  std::vector<std::string> found;
  for (const auto& [call, count] : calls)
    for (int nth = 1; nth <= count; ++nth) {
      fake_hip::reset();
      fake_hip::plan({call, nth, expected.error, expected.sticky});
      const std::string fault = fault_of_use(test::use_device(make), call, expected);
      if (!fault.empty()) found.push_back(place_of(call, nth, expected) + ": " + fault);
    }
  return found;
}

class FailingCalls : public testing::TestWithParam<Expected> {};

TEST_P(FailingCalls, AreToldAndLeaveNothingBehind) {
  EXPECT_THAT(faults_found(test::make_device, GetParam()), testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Each, FailingCalls, testing::ValuesIn(kFailures),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(FailingCallsSuite, ARunMakesEveryCallOfTheRuntimeAndEndsClean) {
  fake_hip::reset();
  const DeviceUse use = test::use_device();
  EXPECT_THAT(use.told, testing::IsEmpty()) << use.told.front().step << use.told.front().message;
  EXPECT_EQ(fake_hip::leaks(), "");
  std::set<std::string> made;
  for (const auto& [call, count] : fake_hip::calls()) made.insert(call);
  EXPECT_THAT(made,
              testing::IsSupersetOf(
                  {"hipDeviceGetPCIBusId", "hipDeviceGetUuid",       "hipDriverGetVersion",
                   "hipEventCreate",       "hipEventDestroy",        "hipEventElapsedTime",
                   "hipEventRecord",       "hipEventSynchronize",    "hipFree",
                   "hipGetDeviceCount",    "hipGetDeviceProperties", "hipGraphDestroy",
                   "hipGraphExecDestroy",  "hipGraphInstantiate",    "hipGraphLaunch",
                   "hipHostFree",          "hipHostMalloc",          "hipMalloc",
                   "hipMemGetInfo",        "hipMemcpyAsync",         "hipMemsetAsync",
                   "hipModuleGetFunction", "hipModuleLaunchKernel",  "hipModuleLoadData",
                   "hipModuleUnload",      "hipRuntimeGetVersion",   "hipSetDevice",
                   "hipSetDeviceFlags",    "hipStreamBeginCapture",  "hipStreamCreateWithFlags",
                   "hipStreamDestroy",     "hipStreamEndCapture",    "hipStreamSynchronize",
                   "hiprtcCompileProgram"}));
}

// Planted bugs: the suite must see each.

/// Makes up a time when it cannot read one.
class SwallowingDevice : public hip::HipDevice {
 public:
  using HipDevice::HipDevice;
  double stamp_us() override {
    try {
      return HipDevice::stamp_us();
    } catch (const DeviceError&) {
      return 0;  // the bug
    }
  }
};

/// Keeps an event that a failed launch was to be timed with.
class LeakingDevice : public hip::HipDevice {
 public:
  using HipDevice::HipDevice;
  Outcome launch(const LoadedCode& code, const KernelLaunch& launch) override {
    hipEvent_t event = nullptr;
    static_cast<void>(hipEventCreate(&event));
    Outcome outcome = HipDevice::launch(code, launch);
    if (outcome.ok()) static_cast<void>(hipEventDestroy(event));
    return outcome;
  }
};

/// Forgets to end the capture that failed.
class CapturingDevice : public hip::HipDevice {
 public:
  using HipDevice::HipDevice;
  std::unique_ptr<LaunchGraph> record(std::span<const QueuedLaunch> launches,
                                      Outcome* outcome) override {
    auto graph = HipDevice::record(launches, outcome);
    if (graph == nullptr)
      static_cast<void>(hipStreamBeginCapture(nullptr, hipStreamCaptureModeThreadLocal));
    return graph;
  }
};

/// Tells every failure as one of the kernel's.
class BlamingDevice : public hip::HipDevice {
 public:
  using HipDevice::HipDevice;
  Outcome launch(const LoadedCode& code, const KernelLaunch& launch) override {
    const Outcome outcome = HipDevice::launch(code, launch);
    return outcome.ok() ? outcome : Outcome{Status::kernel_fault, outcome.message};
  }
};

/// Does not notice that the device is lost.
class HopefulDevice : public hip::HipDevice {
 public:
  using HipDevice::HipDevice;
  bool lost() const override { return false; }
};

template <typename Buggy>
std::vector<std::string> faults_of(const Expected& expected) {
  return faults_found([](const Gpu& gpu) { return std::make_unique<Buggy>(gpu); }, expected);
}

TEST(FailingCallsSuite, NoticesPlantedBugs) {
  EXPECT_THAT(
      faults_of<SwallowingDevice>(kFailures[0]),
      testing::Contains(AllOf(HasSubstr("hipEventSynchronize"), HasSubstr("nobody was told"))));
  EXPECT_THAT(faults_of<LeakingDevice>(kFailures[0]),
              testing::Contains(
                  AllOf(HasSubstr("hipModuleLaunchKernel"), HasSubstr("left behind: 1 event"))));
  EXPECT_THAT(faults_of<CapturingDevice>(kFailures[0]),
              testing::Contains(
                  AllOf(HasSubstr("hipGraphInstantiate"), HasSubstr("left behind: 1 capture"))));
  EXPECT_THAT(faults_of<BlamingDevice>(kFailures[1]),
              testing::Contains(AllOf(HasSubstr("hipModuleLaunchKernel"),
                                      HasSubstr("the status is kernel_fault"))));
  EXPECT_THAT(faults_of<HopefulDevice>(kFailures[2]),
              testing::Contains(HasSubstr("a fault did not cost the device")));
}

}  // namespace
}  // namespace fusetune

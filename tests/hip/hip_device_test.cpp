#include "harness/device/hip/hip_device.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/base/temporary_folder.hpp"
#include "harness/device/device_error.hpp"
#include "harness/device/hip/gpus.hpp"
#include "tests/fake_hip/fake_hip.hpp"

namespace fusetune {
namespace {

using hip::HipDevice;
using testing::AllOf;
using testing::HasSubstr;

class HipDeviceTest : public testing::Test {
 protected:
  void SetUp() override { fake_hip::reset(); }
  void TearDown() override { EXPECT_EQ(fake_hip::leaks(), ""); }

  static std::string why_no_gpus() {
    try {
      return "found " + hip::gpus().front().product;
    } catch (const UserError& error) {
      return error.what();
    }
  }
  static std::string why_not_open() {
    try {
      const HipDevice device(hip::gpus().front());
      return "it opened";
    } catch (const UserError& error) {
      return error.what();
    }
  }
  static int count_of(const std::string& call) {
    const auto calls = fake_hip::calls();
    const auto found = calls.find(call);
    return found == calls.end() ? 0 : found->second;
  }
};

TEST_F(HipDeviceTest, DescribesEveryGpu) {
  fake_hip::set_device_count(2);
  const std::vector<Gpu> gpus = hip::gpus();
  ASSERT_EQ(gpus.size(), 2u);
  EXPECT_EQ(gpus[1].platform, Platform::amd);
  EXPECT_EQ(gpus[1].index, 1);
  EXPECT_EQ(gpus[1].product, "Fake Instinct F1");
  EXPECT_EQ(gpus[1].target, "gfx942") << "features are no part of the instruction set";
  EXPECT_EQ(gpus[1].uuid, "GPU-10000000fa4e0000");
  EXPECT_EQ(gpus[1].pci, "0000:11:00.0");
  EXPECT_EQ(gpus[1].driver, "HIP 6.3");
  EXPECT_EQ(gpus[1].memory_bytes, std::int64_t{1} << 32);
}

TEST_F(HipDeviceTest, AMachineWithoutGpuSaysWhatOneNeeds) {
  fake_hip::set_device_count(0);
  EXPECT_THAT(why_no_gpus(), AllOf(HasSubstr("none here"), HasSubstr("/dev/kfd")));
}

TEST_F(HipDeviceTest, AMissingDriverIsNoOldOne) {
  fake_hip::set_driver_version(0);
  EXPECT_THAT(why_no_gpus(), HasSubstr("no driver is installed"));
  fake_hip::set_driver_version(50200000);
  EXPECT_THAT(why_no_gpus(),
              HasSubstr("the driver is too old: it is for HIP 5.2, and this module needs one for "
                        "HIP 6.3"));
}

TEST_F(HipDeviceTest, AnUnknownArchitectureIsRefusedByItsName) {
  fake_hip::set_architecture("gfx7001");
  EXPECT_THAT(why_not_open(), AllOf(HasSubstr("Fake Instinct F1 (0000:10:00.0) does not start"),
                                    HasSubstr("architecture"), HasSubstr("gfx7001")));
}

TEST_F(HipDeviceTest, AGpuWhoseMemoryOthersHoldDoesNotStart) {
  fake_hip::plan({"hipStreamCreateWithFlags", 1, hipErrorOutOfMemory});
  EXPECT_THAT(why_not_open(), HasSubstr("memory is all in use"));
}

TEST_F(HipDeviceTest, ServesTheGpuThatItWasOpenedFor) {
  fake_hip::set_device_count(3);
  const HipDevice device(hip::gpus().at(2));
  EXPECT_EQ(device.properties().name, "fake-instinct-f1");
  EXPECT_EQ(device.properties().target.name, "gfx942");
  EXPECT_EQ(device.properties().facts.cu_count, 304);
  EXPECT_FALSE(device.properties().conditions.contains("pci")) << "another of its kind may go on";
}

TEST_F(HipDeviceTest, MemoryIsZeroAndLiesWhereItWasAskedFor) {
  HipDevice device(hip::gpus().front());
  const DevicePointer low = device.allocate(1000, Place::low);
  const DevicePointer high = device.allocate(1000, Place::high);
  EXPECT_EQ(low % 4096, 0u);
  EXPECT_EQ((high + 1000) % 4096, 0u);
  std::vector<char> bytes(1000, 'x');
  device.copy_from(bytes.data(), high, bytes.size());
  EXPECT_EQ(std::count(bytes.begin(), bytes.end(), '\0'), 1000);
  device.release(low);
  device.release(high);
  EXPECT_EQ(count_of("hipFree"), 2);
}

TEST_F(HipDeviceTest, OutOfMemoryIsBadAllocAndCostsNothing) {
  HipDevice device(hip::gpus().front());
  const std::optional<std::int64_t> before = device.free_bytes();
  EXPECT_THROW(device.allocate(std::size_t{1} << 40, Place::low), std::bad_alloc);
  EXPECT_FALSE(device.lost());
  EXPECT_EQ(device.free_bytes(), before);
  device.release(device.allocate(4096, Place::low));
}

class WithKernel : public HipDeviceTest {
 protected:
  void SetUp() override {
    HipDeviceTest::SetUp();
    folder_ = std::make_unique<TemporaryFolder>("fusetune");
    write_file_atomic(*folder_ / "code", std::string("toy_kernel\0", 11));
    device_ = std::make_unique<HipDevice>(hip::gpus().front());
    Outcome outcome;
    code_ = device_->load((*folder_ / "code").string(), &outcome);
    ASSERT_TRUE(outcome.ok()) << outcome.message;
    launch_.entry = "toy_kernel";
  }
  void TearDown() override {
    code_.reset();
    device_.reset();
    HipDeviceTest::TearDown();
  }

  std::unique_ptr<TemporaryFolder> folder_;
  std::unique_ptr<HipDevice> device_;
  std::unique_ptr<LoadedCode> code_;
  KernelLaunch launch_;
};

TEST_F(WithKernel, WhatIsNoLaunchIsRefusedBeforeTheRuntimeSeesIt) {
  launch_.entry = "other_kernel";
  EXPECT_THAT(device_->launch(*code_, launch_).message, HasSubstr("other_kernel"));
  launch_.entry = "toy_kernel";
  launch_.grid = {1, 0, 1};
  EXPECT_THAT(device_->launch(*code_, launch_).message, HasSubstr("1 x 0 x 1"));
  EXPECT_EQ(count_of("hipModuleLaunchKernel"), 0);
  Outcome outcome;
  EXPECT_EQ(device_->load("/nowhere/code", &outcome), nullptr);
  EXPECT_EQ(outcome.status, Status::launch_error);
}

TEST_F(WithKernel, SpansOverlapTheWaitForThoseBeforeThem) {
  SpanTicket first = device_->begin_span();
  ASSERT_TRUE(device_->launch(*code_, launch_).ok());
  device_->end_span(first);
  SpanTicket second = device_->begin_span();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(device_->launch(*code_, launch_).ok());
  device_->end_span(second);
  EXPECT_EQ(count_of("hipEventSynchronize"), 0) << "nothing waits while the queue is filled";
  SpanTime time;
  ASSERT_TRUE(device_->read_span(first, &time).ok());
  EXPECT_FLOAT_EQ(static_cast<float>(time.us), 10);
  ASSERT_TRUE(device_->read_span(second, &time).ok());
  EXPECT_FLOAT_EQ(static_cast<float>(time.us), 30) << "the clock's own kernels lie outside";
  EXPECT_THROW(static_cast<void>(device_->read_span(second, &time)), std::logic_error);
}

TEST_F(WithKernel, SpansUseTheEventsOfThoseThatWereRead) {
  const auto span = [&] {
    SpanTicket ticket = device_->begin_span();
    device_->end_span(ticket);
    SpanTime time;
    EXPECT_TRUE(device_->read_span(ticket, &time).ok());
  };
  span();
  const int events = count_of("hipEventCreate");
  for (int i = 0; i < 100; ++i) span();
  EXPECT_EQ(count_of("hipEventCreate"), events);
}

TEST_F(WithKernel, ListsThatCannotBeCapturedAreAnOutcomeAndTheQueueGoesOn) {
  fake_hip::plan({"hipModuleLaunchKernel", 2, hipErrorStreamCaptureUnsupported});
  const std::array<QueuedLaunch, 3> list = {QueuedLaunch{code_.get(), launch_},
                                            QueuedLaunch{code_.get(), launch_},
                                            QueuedLaunch{code_.get(), launch_}};
  Outcome outcome;
  EXPECT_EQ(device_->record(list, &outcome), nullptr);
  EXPECT_EQ(outcome.status, Status::launch_error);
  EXPECT_THAT(outcome.message, AllOf(HasSubstr("no graph of these launches"),
                                     HasSubstr("hipErrorStreamCaptureUnsupported")));
  EXPECT_FALSE(device_->lost());
  EXPECT_TRUE(device_->launch(*code_, launch_).ok());
  outcome = {};
  const auto graph = device_->record(list, &outcome);
  ASSERT_NE(graph, nullptr) << outcome.message;
  EXPECT_TRUE(device_->replay(*graph).ok());
}

TEST_F(WithKernel, WhatRunsBesideTheQueueIsWaitedForByAllAlone) {
  ASSERT_TRUE(device_->launch_beside(*code_, launch_).ok());
  ASSERT_TRUE(device_->launch_beside(*code_, launch_).ok());
  EXPECT_EQ(count_of("hipStreamCreateWithFlags"), 2) << "its own, and one beside it";
  ASSERT_TRUE(device_->synchronize().ok());
  EXPECT_EQ(count_of("hipDeviceSynchronize"), 0);
  ASSERT_TRUE(device_->synchronize_all().ok());
  EXPECT_EQ(count_of("hipDeviceSynchronize"), 1);
  fake_hip::plan({"hipDeviceSynchronize", 2, hipErrorLaunchFailure, true});
  EXPECT_EQ(device_->synchronize_all().status, Status::kernel_fault);
  EXPECT_TRUE(device_->lost());
}

TEST_F(WithKernel, AFaultIsToldByTheLaunchThatHadItAndCostsTheDevice) {
  fake_hip::plan({"hipStreamSynchronize", 1, hipErrorLaunchFailure, true});
  ASSERT_TRUE(device_->launch(*code_, launch_).ok());
  EXPECT_EQ(device_->synchronize().status, Status::kernel_fault);
  EXPECT_TRUE(device_->lost());
  char byte = 0;
  try {
    device_->copy_from(&byte, 4096, 1);
    FAIL() << "a lost device copied";
  } catch (const DeviceError& error) {
    EXPECT_EQ(error.status(), Status::kernel_fault);
  }
}

TEST(CoreClock, NeedsOneUnitAndSomeTime) {
  using hip::CoreStamp;
  EXPECT_DOUBLE_EQ(core_mhz(CoreStamp{1000, 0, 3}, CoreStamp{181'000, 100'000, 3}), 1800);
  EXPECT_EQ(core_mhz(CoreStamp{1000, 0, 3}, CoreStamp{181'000, 100'000, 4}), 0) << "other unit";
  EXPECT_EQ(core_mhz(CoreStamp{1000, 0, 3}, CoreStamp{10'000, 5'000, 3}), 0) << "too short";
  EXPECT_EQ(core_mhz(CoreStamp{}, CoreStamp{}), 0) << "no such clock";
}

}  // namespace
}  // namespace fusetune

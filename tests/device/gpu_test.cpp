#include "harness/device/gpu.hpp"

#include <gmock/gmock.h>
#include <stdlib.h>

#include "harness/base/error.hpp"
#include "harness/base/temporary_folder.hpp"
#include "harness/device/device.hpp"

namespace fusetune {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

GpuList two_gpus() {
  Gpu first;
  first.product = "AMD Instinct MI300X";
  first.target = "gfx942";
  first.uuid = "GPU-5b1e8a7f33c04d21";
  first.pci = "0000:1b:00.0";
  Gpu second;
  second.platform = Platform::nvidia;
  second.product = "NVIDIA H200";
  second.target = "sm_90";
  second.uuid = "GPU-5b1f0c52-90aa-1c3e-55d0-7f1b2a3c4d5e";
  second.pci = "0001:1b:00.0";
  return {{first, second}, {}};
}

std::string chosen(std::string_view name) { return choose_gpu(name, two_gpus()).product; }

std::string refusal(std::string_view name, const GpuList& list = two_gpus()) {
  try {
    return "chose " + choose_gpu(name, list).product;
  } catch (const UserError& error) {
    return error.what();
  }
}

TEST(Gpus, AreChosenByNumberUuidAndPciAddress) {
  EXPECT_EQ(chosen("hip:0"), "AMD Instinct MI300X");
  EXPECT_EQ(chosen("hip:1"), "NVIDIA H200");
  EXPECT_EQ(chosen("hip:GPU-5b1e8a7f33c04d21"), "AMD Instinct MI300X");
  EXPECT_EQ(chosen("hip:gpu-5B1F"), "NVIDIA H200");
  EXPECT_EQ(chosen("hip:0001:1B:00.0"), "NVIDIA H200");
  EXPECT_EQ(chosen("hip:00000001:1B:00.0"), "NVIDIA H200") << "as nvidia-smi prints it";
  EXPECT_EQ(chosen("hip:1b:00.0"), "AMD Instinct MI300X") << "the domain 0 may be left out";
}

TEST(Gpus, TheRefusalOfANameListsThoseThatThereAre) {
  for (const char* name : {"hip:2", "hip:", "hip:-1", "hip:01", "hip:0x0", "hip:GPU-ffff",
                           "hip:GPU-", "hip:0002:1b:00.0", "hip:sm_90"})
    EXPECT_THAT(refusal(name),
                AllOf(HasSubstr(std::string("no device ") + name + ";"),
                      HasSubstr("hip:0: AMD Instinct MI300X (gfx942), 0000:1b:00.0, GPU-5b1e8a7f"),
                      HasSubstr("hip:1: NVIDIA H200 (sm_90)")))
        << name;
}

TEST(Gpus, TheBeginningOfAUuidMustMeanOne) {
  GpuList list = two_gpus();
  list.gpus[0].uuid = "GPU-5b1f8a7f33c04d21";
  EXPECT_THAT(refusal("hip:GPU-5b1f", list), HasSubstr("more than one GPU"));
  EXPECT_EQ(choose_gpu("hip:GPU-5b1f8", list).product, "AMD Instinct MI300X");
  EXPECT_THAT(refusal("hip:GPU-5b1"), HasSubstr("no device")) << "too short to mean anything";
}

TEST(Gpus, WithoutAnyEachPlatformSaysWhy) {
  EXPECT_THAT(refusal("hip:0", {{}, {"AMD: no driver", "NVIDIA: not built"}}),
              AllOf(HasSubstr("no GPU can be used here"), HasSubstr("\n  AMD: no driver"),
                    HasSubstr("\n  NVIDIA: not built")));
}

TEST(Gpus, AMachineWithoutModulesHasNone) {
  const TemporaryFolder folder("fusetune");
  ::setenv("FUSETUNE_MODULE_DIR", folder.path().c_str(), 1);
  const GpuList list = list_gpus();
  EXPECT_TRUE(list.gpus.empty());
  ASSERT_EQ(list.absent.size(), 2u);
  EXPECT_THAT(list.absent[0], AllOf(HasSubstr("AMD: "), HasSubstr("libfusetune_amd.so")));
  EXPECT_THAT(list.absent[1], AllOf(HasSubstr("NVIDIA: "), HasSubstr("libfusetune_nvidia.so")));
  EXPECT_THROW(open_device("hip:0"), UserError);
  ::unsetenv("FUSETUNE_MODULE_DIR");
}

TEST(Gpus, AreNoTargetsThatAreKnownWithoutOpeningThem) {
  EXPECT_TRUE(is_gpu("hip:0"));
  EXPECT_FALSE(is_gpu("host"));
  EXPECT_FALSE(is_gpu("hip"));
  EXPECT_THROW(target_of_device("hip:0"), UserError);
  try {
    target_of_device("hip0");
    FAIL() << "hip0 is no device";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("hip:0"), Not(HasSubstr("gfx"))));
  }
}

}  // namespace
}  // namespace fusetune

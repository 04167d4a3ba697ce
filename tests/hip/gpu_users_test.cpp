#include "harness/device/hip/gpu_users.hpp"

#include <gmock/gmock.h>

#include "harness/base/files.hpp"
#include "harness/base/temporary_folder.hpp"

namespace fusetune::hip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(GpuUsers, NvmlIsAskedForTheGpuByItsAddress) {
  const auto users = users_by_nvml(FUSETUNE_FAKE_NVML, "0000:1b:00.0");
  ASSERT_TRUE(users);
  ASSERT_EQ(users->size(), 2U);
  EXPECT_EQ(users->front().pid, 41);
  EXPECT_EQ(users->front().bytes, 3 << 20);
  EXPECT_EQ(users->back().bytes, 0) << "not told";
  EXPECT_FALSE(users_by_nvml(FUSETUNE_FAKE_NVML, "0000:ff:00.0"));
  EXPECT_FALSE(users_by_nvml("libno-such-library.so.1", "0000:1b:00.0"));
}

TEST(GpuUsers, KfdShowsWhoHoldsMemoryOfWhichGpu) {
  const TemporaryFolder folder("kfd");
  const auto write = [&folder](const std::string& file, const std::string& text) {
    std::filesystem::create_directories((folder.path() / file).parent_path());
    write_file_atomic(folder.path() / file, text);
  };
  write("topology/nodes/0/gpu_id", "0\n");
  write("topology/nodes/0/properties", "cpu_cores_count 8\nlocation_id 0\n");
  write("topology/nodes/1/gpu_id", "4711\n");
  write("topology/nodes/1/properties", "simd_count 1216\nlocation_id 6912\ndomain 0\n");
  write("proc/41/vram_4711", "3145728\n");
  write("proc/42/vram_4711", "0\n");
  write("proc/43/vram_1", "9\n");
  const auto users = users_by_kfd(folder.path(), "0000:1b:00.0");
  ASSERT_TRUE(users);
  ASSERT_EQ(users->size(), 1U);
  EXPECT_EQ(users->front().pid, 41);
  EXPECT_EQ(users->front().bytes, 3 << 20);
  EXPECT_FALSE(users_by_kfd(folder.path(), "0000:1c:00.0"));
  EXPECT_FALSE(users_by_kfd(folder.path() / "none", "0000:1b:00.0"));
}

TEST(GpuUsers, ThisProcessIsNoOtherUser) {
  EXPECT_THAT(lines_of_others({{7, 1 << 20}}, 7), IsEmpty());
  EXPECT_THAT(lines_of_others({{7, 1 << 20}, {8, 2 << 20}}, 7),
              ElementsAre("process 8 with 2 MiB"));
  // As in a container, whose processes have other numbers outside of it.
  EXPECT_THAT(lines_of_others({{1000, 1 << 20}}, 7), IsEmpty());
  EXPECT_THAT(lines_of_others({{1000, 1 << 20}, {1001, 0}}, 7),
              ElementsAre(HasSubstr("1 besides this process")));
}

}  // namespace
}  // namespace fusetune::hip

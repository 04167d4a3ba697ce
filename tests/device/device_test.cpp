// The device's own manners: names, memory, loading, and launches that it refuses.
#include <gmock/gmock.h>

#include <fstream>
#include <new>
#include <stdexcept>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/base/temporary_folder.hpp"
#include "support.hpp"

namespace fusetune::testing {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

constexpr const char* kFill = R"(#include "ft.h"
FT_KERNEL(64) void fill(int* out, ft_i64 n, float x, int y) {
  if (threadIdx.x < n) out[threadIdx.x] = (int)x + y;
}
)";

TEST(OpenDevice, KnowsItsNames) {
  EXPECT_EQ(target_of_device("host").name, "host-w64");
  EXPECT_EQ(target_of_device("host-w32").wave_size, 32);
  const auto device = open_device("host-w32");
  EXPECT_EQ(device->properties().name, "host-w32");
  EXPECT_EQ(device->properties().target.platform, Platform::host);
  try {
    open_device("hots-w32");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("'host-w32'"));
  }
}

TEST(HostProperties, DescribeTheMachine) {
  const auto device = open_device("host");
  const DeviceProperties& properties = device->properties();
  EXPECT_GE(properties.facts.cu_count, 1);
  EXPECT_GE(properties.cache_bytes, 1 << 18);
  EXPECT_FALSE(properties.conditions.at("cpu_model").get<std::string>().empty());
  EXPECT_EQ(properties.conditions.at("cpu_threads"), properties.facts.cu_count);
  const double before = device->stamp_us();
  EXPECT_LE(before, device->stamp_us());
}

TEST(HostMemory, LiesWhereItIsAskedTo) {
  Bench bench;
  const DevicePointer low = bench.allocate(1001), high = bench.allocate(1001, Place::high);
  EXPECT_EQ(low % 4096, 0u);
  EXPECT_EQ((high + 1001) % 4096, 0u);
  EXPECT_THAT(bench.download<char>(high, 1001), Each(0));
  char byte = 1;
  EXPECT_THROW(bench.device().copy_to(low + 1001, &byte, 1), std::out_of_range);
  EXPECT_THROW(bench.device().copy_from(&byte, low, 1002), std::out_of_range);
  EXPECT_NO_THROW(bench.device().copy_to(low + 1000, &byte, 1));
  EXPECT_THROW(bench.device().allocate(std::size_t{1} << 60, Place::low), std::bad_alloc);
  EXPECT_THROW(bench.device().release(low + 8), std::logic_error);
}

TEST(HostLaunch, RefusesWhatAGpuRefuses) {
  Bench bench;
  bench.build(kFill, {"fill"});
  const DevicePointer out = bench.upload(std::vector<std::int32_t>(64, 7));
  const std::vector<KernelArgument> arguments{out, std::int64_t{64}, 1.0f, 2};
  const auto status = [&](std::array<std::int64_t, 3> grid, std::array<std::int64_t, 3> block) {
    return bench.launch({"fill", grid, block, 0, arguments}).status;
  };
  EXPECT_EQ(status({0, 1, 1}, {64, 1, 1}), Status::launch_error);
  EXPECT_EQ(status({1, 65536, 1}, {64, 1, 1}), Status::launch_error);
  EXPECT_EQ(status({1, 1, 1}, {1025, 1, 1}), Status::launch_error);
  EXPECT_EQ(status({1, 1, 1}, {64, 32, 1}), Status::launch_error);
  EXPECT_EQ(status({1, 1, 1}, {64, 0, 1}), Status::launch_error);
  EXPECT_THAT(bench.download<std::int32_t>(out, 64), Each(7)) << "nothing has run";
  EXPECT_EQ(status({1, 1, 1}, {64, 1, 1}), Status::ok);
  EXPECT_THAT(bench.download<std::int32_t>(out, 64), Each(3));
}

TEST(HostLaunch, ChecksArgumentsAgainstTheKernel) {
  Bench bench;
  bench.build(kFill, {"fill"});
  const DevicePointer out = bench.allocate(4096);
  const Outcome few = bench.launch(1, 64, {out, std::int64_t{64}, 1.0f});
  EXPECT_EQ(few.status, Status::launch_error);
  EXPECT_THAT(few.message, HasSubstr("takes 4 arguments, the launch has 3"));
  const Outcome swapped = bench.launch(1, 64, {out, std::int64_t{64}, 2, 1.0f});
  EXPECT_EQ(swapped.status, Status::launch_error);
  EXPECT_THAT(swapped.message,
              HasSubstr("argument 3 of fill is a float, the launch passes a 32-bit integer"));
  const Outcome unknown = bench.launch({"fil", {1, 1, 1}, {64, 1, 1}, 0, {}});
  EXPECT_EQ(unknown.status, Status::launch_error);
  EXPECT_THAT(unknown.message, HasSubstr("'fill'"));
}

TEST(HostLoad, ExplainsWhatItCannotLoad) {
  Bench bench;
  const TemporaryFolder folder("fusetune-load");
  const auto load = [&](const std::string& path) {
    Outcome outcome;
    EXPECT_EQ(bench.device().load(path, &outcome), nullptr);
    EXPECT_EQ(outcome.status, Status::launch_error);
    return outcome.message;
  };
  EXPECT_THAT(load((folder / "absent.so").string()), HasSubstr("No such file"));
  const std::string path = (folder / "code.so").string();
  write_file_atomic(path, "no ELF file");
  EXPECT_THAT(load(path), HasSubstr("cannot load"));

  CompileRequest other = request_for(kFill, {"fill"}, 32);
  const CompileResult compiled = host_compiler().compile(other);
  ASSERT_TRUE(compiled.outcome.ok());
  write_file_atomic(path, compiled.code);
  EXPECT_THAT(load(path), HasSubstr("waves of 32, this device has 64"));
  write_file_atomic(path, compiled.code.substr(0, compiled.code.size() / 2));
  EXPECT_THAT(load(path), HasSubstr("cannot load"));
}

}  // namespace
}  // namespace fusetune::testing

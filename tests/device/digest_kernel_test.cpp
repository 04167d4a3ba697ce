// The kernel that names memory, beside its twin on this machine.
#include <gmock/gmock.h>

#include "harness/base/files.hpp"
#include "harness/device/device_error.hpp"
#include "harness/verify/digester.hpp"
#include "support.hpp"

namespace fusetune::testing {
namespace {

class DigestKernel : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Host, DigestKernel, ::testing::Values(64, 32),
                         [](const auto& test) { return "w" + std::to_string(test.param); });

std::unique_ptr<LoadedCode> digest_code(Bench& bench, const std::string& from = "",
                                        const std::string& to = "") {
  std::string source = read_file(project_root() / "harness/verify/kernels/digest.hip");
  if (const std::size_t at = source.find(from); !from.empty() && at != std::string::npos)
    source.replace(at, from.size(), to);
  bench.build(source, {kDigestEntry}, {{"FT_BLOCK_SIZE", std::to_string(kDigestBlock)}});
  return bench.take_loaded();
}

TEST_P(DigestKernel, IsItsTwin) {
  Bench bench(GetParam());
  // Compares itself with digest_of() over every alignment.
  Digester digester(bench.device(), digest_code(bench));
  std::vector<std::uint16_t> values(100000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint16_t>(i * i);
  const DevicePointer memory = bench.upload(values);
  const std::vector<Region> regions{{memory + 2, 199990}, {memory, 0}, {memory + 6, 131072}};
  const std::vector<Digest> found = digester.of(regions);
  const auto* bytes = reinterpret_cast<const std::byte*>(values.data());
  EXPECT_EQ(found[0], digest_of(bytes + 2, 199990));
  EXPECT_EQ(found[1], digest_of(nullptr, 0));
  EXPECT_EQ(found[2], digest_of(bytes + 6, 131072));
}

TEST(DigestKernelMutants, AreRefused) {
  for (const auto& [from, to] : {std::pair{"part.place + i + 1", "part.place + i"},
                                 {"ahead + left > 8", "ahead + left > 9"},
                                 {"left >= 8", "left >= 7"},
                                 {"half > 0", "half > 1"}}) {
    Bench bench;
    EXPECT_THROW(Digester(bench.device(), digest_code(bench, from, to)), DeviceError) << from;
  }
}

}  // namespace
}  // namespace fusetune::testing

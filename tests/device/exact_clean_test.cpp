// Right kernels raise no alarm, and instrumented code computes what other code does.
#include <numeric>

#include "exact_support.hpp"

namespace fusetune::testing {
namespace {

class ExactClean : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Host, ExactClean, ::testing::Values(64, 32),
                         [](const auto& test) { return "w" + std::to_string(test.param); });

const std::string kRight = std::string("#include \"ft.h\"\n") + exact_kernel("reductions", R"(
  const float first = ft_block_sum<256>(in[row + t]);
  const float second = ft_block_sum<256>(in[row + t] * first);
  out[row + t] = first + second + ft_block_sum<256>(1.0f);)") +
                           exact_kernel("staged", R"(
  FT_SHARED float tile[16][17];
  const int x = t % 16, y = t / 16;
  for (int k = 0; k < 3; ++k) {
    tile[y][x] = in[row + t] + k;
    ft_block_sync();
    const float turned = tile[x][y];
    ft_block_sync();
    if (k == 2) out[row + t] = turned;
  }
  work[256 * b + t] = out[row + t];)") +
                           exact_kernel("lanes", R"(
  FT_SHARED float value[256];
  float sum = 0;
  for (int k = 1; k < 8; ++k) {
    value[t] = in[row + t] * k;
    ft_wave_sync();
    sum += value[t ^ k];
    ft_wave_sync();
  }
  out[row + t] = sum;)") + exact_kernel("vectors", R"(
  if (t >= 64) return;
  ft_vec<16> v[2];
  v[0] = ft_load<16>(in + row + 4 * t);
  v[1] = v[0];
  for (int i = 0; i < 8; ++i) ft_set16<16>(v[i % 2], i, static_cast<ft_u16>(i + t));
  ft_store<16>(out + row + 4 * t, v[0]);
  ft_store<16>(work + 256 * b + 4 * t, v[1]);)") +
                           exact_kernel("votes", R"(
  const ft_u64 bits = ft_ballot(in[row + t] > 100.0f);
  if (ft_lane() == 0) ft_atomic_add(counter, static_cast<ft_i32>(bits % 7));
  out[row + t] = ft_shfl(static_cast<float>(t), 3, 16);)") +
                           exact_kernel("locals", R"(
  float local[64];
  for (int i = 0; i < 64; ++i) local[i] = in[row + (t + i) % 256];
  float sum = 0;
  for (int i = 0; i < 64; ++i) sum += local[(i * 7 + t) % 64];
  out[row + t] = sum;)");

TEST_P(ExactClean, KernelsThatAreRight) {
  const std::vector<std::string> entries{"reductions", "staged", "lanes",
                                         "vectors",    "votes",  "locals"};
  ExactBench exact(GetParam(), kRight, entries), plain(GetParam(), kRight, entries, false);
  std::vector<float> values(4 * 260);
  std::iota(values.begin(), values.end(), 0.5f);
  for (ExactBench* bench : {&exact, &plain})
    bench->device().copy_to(bench->in(), values.data(), values.size() * 4);
  for (const std::string& entry : entries) {
    for (std::uint64_t seed = 0; seed <= 50; ++seed) {
      const Outcome outcome = exact.run(entry, 4, 256, seed);
      EXPECT_TRUE(outcome.ok()) << entry << ", seed " << seed << ": " << outcome.message;
      for (const UnwrittenRange& range : exact.device().unwritten())
        EXPECT_NE(range.tensor, "out") << entry;
      if (seed % 10 != 0) continue;
      ASSERT_TRUE(plain.run(entry, 4, 256, seed).ok());
      EXPECT_EQ(exact.bench().download<float>(exact.out(), 256),
                plain.bench().download<float>(plain.out(), 256))
          << entry;
    }
  }
}

TEST_P(ExactClean, InstrumentationIsPartOfTheKey) {
  CompileRequest request = request_for(kRight, {"staged"}, GetParam());
  const std::string key = request.key("compiler");
  request.exact = true;
  EXPECT_NE(request.key("compiler"), key);
  EXPECT_TRUE(compile_request_from_json(to_json(request)).exact);
  Bench bench(GetParam());
  EXPECT_FALSE(bench.build(kRight, {"staged"}).exact());
  EXPECT_TRUE(bench.build_exact(kRight, {"staged"}).exact());
}

TEST_P(ExactClean, TracedLaunchesAreNotJudged) {
  ExactBench bench(GetParam(), "#include \"ft.h\"\n" + exact_kernel("copy", R"(
  FT_SHARED float value[256];
  value[t] = in[row + t]; // staged
  ft_block_sync();
  out[row + t] = value[t]; // stored
  out[0] = 1;)"),
                   {"copy"});
  EXPECT_EQ(bench.run("copy", 2, 256).status, Status::race);
  bench.device().trace(true);
  ASSERT_TRUE(bench.launch_again("copy", 2, 256).ok());
  bench.device().trace(false);
  const TracedTraffic traffic = bench.device().traced();
  EXPECT_EQ(traffic.barriers, 2);
  EXPECT_EQ(traffic.read_bytes, 2 * 1024);
  EXPECT_EQ(traffic.write_bytes, 2 * (1024 + 1024));
  ASSERT_EQ(traffic.sites.size(), 5u);
  EXPECT_EQ(traffic.sites[0].entry, "copy");
  int staged = 0;
  for (const SiteTraffic& site : traffic.sites)
    if (site.place == bench.line("// staged"))
      staged += site.lanes == 512 && site.write == site.shared;
  EXPECT_EQ(staged, 2) << "a load and a store";
  EXPECT_EQ(bench.run("copy", 2, 256).status, Status::race) << "judged again";
}

}  // namespace
}  // namespace fusetune::testing

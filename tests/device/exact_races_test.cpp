// Races in global memory, atomics, and wave operations that not all lanes come to.
#include "exact_support.hpp"

namespace fusetune::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::uint64_t kSeeds = 50;

class ExactRaces : public ::testing::TestWithParam<int> {
 protected:
  static void expect_always(ExactBench& bench, const std::string& entry, Status status) {
    for (std::uint64_t seed = 0; seed <= kSeeds; ++seed) {
      const Outcome outcome = bench.run(entry, 4, 256, seed);
      EXPECT_EQ(outcome.status, status) << entry << ", seed " << seed << ": " << outcome.message;
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Host, ExactRaces, ::testing::Values(64, 32),
                         [](const auto& test) { return "w" + std::to_string(test.param); });

std::string global_kernels(bool fibres) {
  std::string source = fibres ? "#include \"ft.h\"\n#define FT_MEET ft_block_sync();\n"
                              : "#include \"ft.h\"\n#define FT_MEET\n";
  const auto add = [&](const char* name, const char* body) {
    source += exact_kernel(name, "  FT_MEET\n" + std::string(body));
  };
  add("own_rows", "out[row + t] = in[row + t]; work[256 * b + t] = out[row + t];");
  add("double_write", "out[t] = 1; // 1");
  add("twice_in_block", "out[row + t / 2] = 1; // 2");
  add("next_block_reads", R"(
  work[256 * b + t] = in[row + t]; // written
  out[row + t] = work[256 * ((b + 1) % 4) + t]; // read)");
  add("overwrites_what_was_read", R"(
  ft_i32* const cell = counter + t % 4;
  if (b % 2 == 0) work[256 * b + t] = static_cast<float>(*cell); // reader
  else if (t < 4) *cell = 1; // writer)");
  add("bytes_beside_each_other", R"(
  char* const p = reinterpret_cast<char*>(work);
  p[4 * t + b] = 1;
  p[4 * t + b] = 2;)");
  add("counts", "ft_atomic_add(counter, 1); ft_atomic_add(counter + 1, 1);");
  add("counts_by_builtin", "__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);");
  add("counts_and_reads", R"(
  ft_atomic_add(counter, 1); // added
  out[row + t] = static_cast<float>(*counter); // plain)");
  add("counts_and_writes", R"(
  ft_atomic_add(counter, 1);
  if (t == 9 && b == 3) *counter = 0;)");
  add("adds_to_nothing", "ft_atomic_add(work, 1.0f); // nothing");
  add("adds_to_input", "ft_atomic_add(const_cast<float*>(in), 1.0f);");
  add("adds_outside", "ft_atomic_add(counter + 16, 1);");
  add("adds_misaligned", R"(
  char* const p = reinterpret_cast<char*>(counter);
  ft_atomic_add(reinterpret_cast<ft_i32*>(p + 2), 1); // off)");
  add("reads_after_barrier", R"(
  if (t < 128) work[256 * b + t] = in[row + t];
  else work[256 * b + t] = 0;
  __syncthreads();
  out[row + t] = work[256 * b + 255 - t];)");
  return source;
}

const std::vector<std::string> kGlobal{"own_rows",
                                       "double_write",
                                       "twice_in_block",
                                       "next_block_reads",
                                       "overwrites_what_was_read",
                                       "bytes_beside_each_other",
                                       "counts",
                                       "counts_by_builtin",
                                       "counts_and_reads",
                                       "counts_and_writes",
                                       "adds_to_nothing",
                                       "adds_to_input",
                                       "adds_outside",
                                       "adds_misaligned",
                                       "reads_after_barrier"};

TEST_P(ExactRaces, GlobalMemoryWithoutBarriers) {
  // Without the one kernel that needs fibres, the others run as a loop over their threads.
  std::string source = global_kernels(false);
  source.resize(source.find("FT_KERNEL(1024) void reads_after_barrier"));
  const std::vector<std::string> entries(kGlobal.begin(), kGlobal.end() - 1);
  ExactBench bench(GetParam(), source, entries);
  EXPECT_EQ(bench.bench().compiled().facts.kernels[0].needs_fibres, false);
  for (const char* right : {"own_rows", "bytes_beside_each_other", "counts", "counts_by_builtin"})
    expect_always(bench, right, Status::ok);
  for (const char* wrong : {"double_write", "twice_in_block", "overwrites_what_was_read",
                            "counts_and_reads", "counts_and_writes"})
    expect_always(bench, wrong, Status::race);
}

TEST_P(ExactRaces, GlobalMemory) {
  ExactBench bench(GetParam(), global_kernels(true), kGlobal);
  for (const char* right : {"own_rows", "bytes_beside_each_other", "counts", "counts_by_builtin",
                            "reads_after_barrier"})
    expect_always(bench, right, Status::ok);
  for (const char* wrong : {"double_write", "twice_in_block", "overwrites_what_was_read",
                            "counts_and_reads", "counts_and_writes"})
    expect_always(bench, wrong, Status::race);
  EXPECT_EQ(bench.run("double_write", 4, 256).message,
            "race between blocks in 'out': write at " + bench.line("// 1\n") +
                " by block 1, thread 0 after write at " + bench.line("// 1\n") +
                " by block 0, thread 0, row 0, byte 0 (double_write)");
  EXPECT_EQ(bench.run("twice_in_block", 4, 256).message,
            "race in 'out': write at " + bench.line("// 2\n") + " by thread 1 after write at " +
                bench.line("// 2\n") + " by thread 0, row 0, byte 0 (twice_in_block, block 0)");
  EXPECT_EQ(bench.run("overwrites_what_was_read", 4, 256).message,
            "race between blocks in 'counter': write at " + bench.line("// writer") +
                " by block 1, thread 0 after read at " + bench.line("// reader") +
                " by block 0, thread 0, byte 0 (overwrites_what_was_read)");
  EXPECT_EQ(bench.run("counts_and_reads", 4, 256).message,
            "race in 'counter': atomic write at " + bench.line("// added") +
                " by thread 1 after read at " + bench.line("// plain") +
                " by thread 0, byte 0 (counts_and_reads, block 0)");
}

TEST_P(ExactRaces, BlocksThatReadEachOther) {
  ExactBench bench(GetParam(), global_kernels(true), kGlobal);
  // Initialised by an earlier launch, so that only the order is wrong.
  const auto run = [&](std::uint64_t seed) {
    EXPECT_TRUE(bench.run("own_rows", 4, 256, seed).ok());
    return bench.launch_again("next_block_reads", 4, 256);
  };
  for (std::uint64_t seed = 0; seed <= kSeeds; ++seed)
    EXPECT_EQ(run(seed).status, Status::race) << "seed " << seed;
  EXPECT_EQ(run(0).message, "race between blocks in 'work': write at " + bench.line("// written") +
                                " by block 1, thread 0 after read at " + bench.line("// read\n") +
                                " by block 0, thread 0, byte 1024 (next_block_reads)");
  EXPECT_TRUE(bench.run("own_rows", 4, 256).ok()) << "launches are ordered";
}

TEST_P(ExactRaces, AtomicsAreAccessesToo) {
  ExactBench bench(GetParam(), global_kernels(false), kGlobal);
  EXPECT_EQ(bench.run("adds_to_nothing", 4, 256).status, Status::uninitialised_read);
  EXPECT_THAT(bench.run("adds_to_nothing", 4, 256).message, HasSubstr(bench.line("// nothing")));
  EXPECT_EQ(bench.run("adds_to_input", 4, 256).status, Status::input_modified);
  EXPECT_THAT(bench.run("adds_outside", 4, 256).message,
              HasSubstr("write of 4 bytes, 0 bytes past the end of 'counter'"));
  EXPECT_EQ(bench.run("adds_misaligned", 4, 256).status, Status::misaligned);
  EXPECT_THAT(bench.run("adds_misaligned", 4, 256).message, HasSubstr(bench.line("// off")));
  ASSERT_TRUE(bench.run("counts", 4, 256).ok());
  const auto counter = std::get<DevicePointer>(bench.arguments()[3]);
  EXPECT_GE(bench.bench().download<std::int32_t>(counter, 1)[0], 1024);
}

const std::string kDivergent =
    std::string("#include \"ft.h\"\nconstexpr int W = FT_WAVE_SIZE;\n") +
    exact_kernel("half_wave", "if (ft_lane() < W / 2) out[row + t] = ft_wave_sum<W>(1.0f);") +
    exact_kernel("half_groups", "if (ft_lane() < W / 2) out[row + t] = ft_wave_sum<W / 2>(1.0f);") +
    exact_kernel("ballot_exited", R"(
  if (t >= 250) return;
  out[row + t] = static_cast<float>(ft_ballot(t < 3)); // ballot)") +
    exact_kernel("ballot_elsewhere", R"(
  if (t != 250) out[row + t] = static_cast<float>(ft_ballot(t < 3));
  ft_block_sync();)") +
    exact_kernel("ballot_all", "out[row + t] = static_cast<float>(ft_ballot(t < 3));") +
    exact_kernel("sync_exited", "if (ft_lane() == 0) return; ft_wave_sync(); out[row + t] = 1;") +
    exact_kernel("barrier_exited", "if (t >= 255) return; ft_block_sync(); out[row + t] = 1;") +
    exact_kernel("two_barriers", R"(
  if (t % 2 == 0) {
    ft_block_sync(); // even
  } else {
    ft_block_sync(); // odd
  }
  out[row + t] = 1;)");

TEST_P(ExactRaces, LanesThatDoNotMeet) {
  ExactBench bench(GetParam(), kDivergent,
                   {"half_wave", "half_groups", "ballot_exited", "ballot_elsewhere", "ballot_all",
                    "sync_exited", "barrier_exited", "two_barriers"});
  for (const char* right : {"half_groups", "ballot_all"}) expect_always(bench, right, Status::ok);
  for (const char* wrong : {"half_wave", "ballot_exited", "ballot_elsewhere", "sync_exited",
                            "barrier_exited", "two_barriers"})
    expect_always(bench, wrong, Status::divergent_barrier);
  EXPECT_TRUE(bench.run("ballot_all", 1, 40).ok()) << "a wave may be smaller than others";
  const std::string first = std::to_string(256 - bench.bench().wave_size());
  EXPECT_THAT(bench.run("ballot_exited", 1, 256).message,
              AllOf(HasSubstr("divergent ballot: thread " + first + " takes part at line"),
                    HasSubstr("thread 250 of its wave has exited (ballot_exited, block 0)")));
  EXPECT_THAT(bench.run("ballot_elsewhere", 1, 256).message,
              HasSubstr("thread 250 of its wave waits at line"));
  EXPECT_THAT(bench.run("sync_exited", 1, 256).message,
              HasSubstr("divergent wave_sync: thread 1 takes part at line"));
  EXPECT_THAT(bench.run("barrier_exited", 1, 256).message,
              AllOf(HasSubstr("255 threads wait at line"), HasSubstr("1 has exited (thread 255)")));
  EXPECT_THAT(bench.run("half_wave", 1, 256).message,
              AllOf(HasSubstr("divergent shuffle"), HasSubstr("which has exited")));
}

}  // namespace
}  // namespace fusetune::testing

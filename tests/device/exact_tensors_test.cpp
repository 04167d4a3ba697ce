// What instrumented kernels may do to tensors, and what is said when they do something else.
#include <algorithm>

#include "exact_support.hpp"

namespace fusetune::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ExactTensors : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Host, ExactTensors, ::testing::Values(64, 32),
                         [](const auto& test) { return "w" + std::to_string(test.param); });

/// The same bugs in a kernel that runs as a loop over its threads and in one of fibres.
std::string planted(bool fibres, const std::vector<std::string>& wanted) {
  std::string source = fibres ? "#include \"ft.h\"\n#define FT_MEET ft_block_sync();\n"
                              : "#include \"ft.h\"\n#define FT_MEET\n";
  const auto add = [&](const char* name, const char* body) {
    if (std::find(wanted.begin(), wanted.end(), name) == wanted.end()) return;
    source += exact_kernel(name, "  FT_MEET\n" + std::string(body));
  };
  add("copy", "out[row + t] = in[row + t];");
  add("write_past_row", "out[row + t + 1] = in[row + t]; // 1");
  add("write_past_end", "out[row + t + (b == 3)] = in[row + t]; // 2");
  add("write_before", "out[row + t - (b == 0)] = in[row + t]; // 3");
  add("read_past_row", "out[row + t] = in[row + t + 2]; // 4");
  add("read_past_end", "out[row + t] = in[row + t + (b == 3)]; // 5");
  add("read_before", "out[row + t] = in[row + t - 1]; // 6");
  add("vector_over_end", R"(
  char* const p = reinterpret_cast<char*>(out + row);
  if (t < 64) ft_store<16>(p + 16 * t + 8 * (b == 3), ft_load<16>(in + row + 4 * t)); // 7)");
  add("misaligned_load", R"(
  const char* const p = reinterpret_cast<const char*>(in + row);
  if (t < 63) ft_store<16>(out + row + 4 * t, ft_load<16>(p + 16 * t + 2)); // 8)");
  add("misaligned_store", R"(
  char* const p = reinterpret_cast<char*>(out + row);
  if (t < 63) ft_store<8>(p + 16 * t + 4, ft_zero<8>()); // 9)");
  add("last_not_written", "if (t < 252) out[row + t] = in[row + t];");
  add("one_byte_not_written", R"(
  char* const p = reinterpret_cast<char*>(out + row);
  for (int i = 0; i < 4; ++i)
    if (4 * t + i != 5) p[4 * t + i] = 1;)");
  add("input_modified", "const_cast<float*>(in)[row + t] = 0; // 10");
  // Farther than all that is mapped together, so that no other tensor lies there by chance.
  add("nowhere", "out[(1ll << 36) + row + t] = 0; // 11");
  add("reads_workspace", "out[row + t] = work[t]; // 12");
  add("reads_own_output", "out[row + t] += in[row + t]; // 13");
  add("uses_workspace", "work[256 * b + t] = in[row + t]; out[row + t] = work[256 * b + t];");
  add("copies_words", R"(
  struct Wide { float v[6]; };
  if (t < 43) __builtin_memcpy(out + row + 6 * t, in + row + 6 * t, sizeof(Wide)); // 14)");
  add("copies_structs", R"(
  struct Wide { float v[3]; };
  if (t < 86) reinterpret_cast<Wide*>(out + row)[t] = reinterpret_cast<const Wide*>(in + row)[t]; // 15)");
  return source;
}

ExactBench planted_bench(int wave_size, bool fibres, const std::vector<std::string>& entries) {
  return ExactBench(wave_size, planted(fibres, entries), entries);
}

TEST_P(ExactTensors, BoundsToTheByte) {
  for (const bool fibres : {false, true}) {
    ExactBench bench =
        planted_bench(GetParam(), fibres,
                      {"copy", "write_past_row", "write_past_end", "write_before", "read_past_row",
                       "read_past_end", "read_before", "misaligned_load", "misaligned_store",
                       "input_modified", "reads_workspace", "reads_own_output"});
    EXPECT_EQ(bench.bench().compiled().facts.kernels[0].needs_fibres, fibres);
    const auto expect = [&](const char* entry, Status status, const std::string& what,
                            const std::string& where) {
      for (std::uint64_t seed = 0; seed <= 50; ++seed)
        EXPECT_EQ(bench.run(entry, 4, 256, seed).status, status) << entry << ", seed " << seed;
      const Outcome outcome = bench.run(entry, 4, 256);
      EXPECT_EQ(outcome.message, what + " (" + entry + ", " + where);
    };
    const auto at = [&](const char* position, const char* line) {
      return std::string(position) + ", " + bench.line(line) + ")";
    };
    const Outcome copy = bench.run("copy", 4, 256);
    EXPECT_TRUE(copy.ok()) << copy.message;

    expect("write_past_row", Status::out_of_bounds,
           "write of 4 bytes, in the row padding of 'out', 0 bytes past row 0",
           at("block 0, thread 255", "// 1\n"));
    expect("write_past_end", Status::out_of_bounds,
           "write of 4 bytes, 0 bytes past the end of 'out'", at("block 3, thread 255", "// 2\n"));
    expect("write_before", Status::out_of_bounds, "write of 4 bytes, 4 bytes before 'out'",
           at("block 0, thread 0", "// 3\n"));
    expect("read_past_row", Status::out_of_bounds,
           "read of 4 bytes, in the row padding of 'in', 0 bytes past row 0",
           at("block 0, thread 254", "// 4\n"));
    expect("read_past_end", Status::out_of_bounds, "read of 4 bytes, 0 bytes past the end of 'in'",
           at("block 3, thread 255", "// 5\n"));
    expect("read_before", Status::out_of_bounds, "read of 4 bytes, 4 bytes before 'in'",
           at("block 0, thread 0", "// 6\n"));
    expect("misaligned_load", Status::misaligned,
           "read at an address that is not a multiple of its alignment of 16 bytes",
           at("block 0, thread 0", "// 8\n"));
    expect("misaligned_store", Status::misaligned,
           "write at an address that is not a multiple of its alignment of 8 bytes",
           at("block 0, thread 0", "// 9\n"));
    expect("input_modified", Status::input_modified,
           "write of 4 bytes to the input 'in', row 0, byte 0", at("block 0, thread 0", "// 10\n"));
    expect("reads_workspace", Status::uninitialised_read, "read of uninitialised 'work', byte 0",
           at("block 0, thread 0", "// 12\n"));
    expect("reads_own_output", Status::uninitialised_read,
           "read of uninitialised 'out', row 0, byte 0", at("block 0, thread 0", "// 13\n"));
  }
}

TEST_P(ExactTensors, WhatHasNoTensorNear) {
  ExactBench bench = planted_bench(GetParam(), false, {"nowhere", "copy"});
  const Outcome outcome = bench.run("nowhere", 1, 256);
  EXPECT_EQ(outcome.status, Status::out_of_bounds);
  EXPECT_THAT(outcome.message, HasSubstr("which is in no tensor"));
  EXPECT_TRUE(bench.run("copy", 4, 256).ok()) << "a violation leaves nothing behind";
}

TEST_P(ExactTensors, AccessesThatBeginInside) {
  ExactBench bench =
      planted_bench(GetParam(), true, {"vector_over_end", "copies_words", "copies_structs"});
  // 8 bytes off, so its alignment is found first.
  EXPECT_EQ(bench.run("vector_over_end", 4, 256).status, Status::misaligned);
  EXPECT_TRUE(bench.run("vector_over_end", 3, 256).ok());
  const Outcome words = bench.run("copies_words", 4, 256);
  EXPECT_EQ(words.status, Status::out_of_bounds) << words.message;
  EXPECT_THAT(words.message, AllOf(HasSubstr("read of 24 bytes, ending 8 bytes past row 0 of 'in', "
                                             "in its padding"),
                                   HasSubstr("thread 42, " + bench.line("// 14"))));
  const Outcome structs = bench.run("copies_structs", 4, 256);
  EXPECT_EQ(structs.status, Status::out_of_bounds) << structs.message;
  EXPECT_THAT(structs.message, AllOf(HasSubstr("of 12 bytes, ending 8 bytes past row 0 of '"),
                                     HasSubstr("thread 85, " + bench.line("// 15"))));
  EXPECT_TRUE(bench.run("copies_words", 4, 42).ok());
  EXPECT_TRUE(bench.run("copies_structs", 4, 85).ok());
}

TEST_P(ExactTensors, AccessesThatEndOutside) {
  Bench bench(GetParam());
  bench.build_exact(R"(#include "ft.h"
FT_KERNEL(64) void copy(const char* in, char* out) {
  ft_store<16>(out + 16 * threadIdx.x, ft_load<16>(in + 16 * threadIdx.x));
}
)",
                    {"copy"});
  const DevicePointer in = bench.allocate(4096), out = bench.allocate(4096);
  const auto run = [&](std::int64_t in_bytes, std::int64_t rows, std::int64_t out_bytes) {
    bench.device().watch({{"in", in, 1, in_bytes, in_bytes, true, false},
                          {"out", out, rows, out_bytes, out_bytes + 16, false, true}});
    return bench.launch(1, 4, {in, out});
  };
  EXPECT_TRUE(run(64, 1, 64).ok());
  EXPECT_THAT(run(63, 1, 64).message,
              HasSubstr("read of 16 bytes, ending 1 byte past the end of 'in'"));
  EXPECT_THAT(run(64, 1, 56).message,
              HasSubstr("write of 16 bytes, ending 8 bytes past the end of 'out'"));
  EXPECT_THAT(run(64, 2, 40).message,
              HasSubstr("write of 16 bytes, ending 8 bytes past row 0 of 'out', in its padding"));
}

TEST_P(ExactTensors, UnwrittenBytes) {
  ExactBench bench =
      planted_bench(GetParam(), false, {"copy", "last_not_written", "one_byte_not_written"});
  EXPECT_TRUE(bench.device().unwritten().empty()) << "nothing is watched";
  bench.watch();
  // Nothing ran: all of it, row by row, and the workspace.
  EXPECT_EQ(bench.device().unwritten().size(), 5u);

  ASSERT_TRUE(bench.run("last_not_written", 4, 256).ok());
  std::vector<UnwrittenRange> found = bench.device().unwritten();
  ASSERT_EQ(found.size(), 5u);
  for (std::int64_t row = 0; row < 4; ++row) {
    const UnwrittenRange& range = found[static_cast<std::size_t>(row)];
    EXPECT_EQ(range.tensor, "out");
    EXPECT_EQ(range.first_byte, row * ExactBench::kStrideBytes + 252 * 4);
    EXPECT_EQ(range.bytes, 16);
  }
  EXPECT_EQ(found[4].tensor, "work");

  ASSERT_TRUE(bench.run("one_byte_not_written", 4, 256).ok());
  found = bench.device().unwritten();
  ASSERT_EQ(found.size(), 5u);
  EXPECT_EQ(found[1].first_byte, ExactBench::kStrideBytes + 5);
  EXPECT_EQ(found[1].bytes, 1);

  ASSERT_TRUE(bench.run("copy", 3, 256).ok()) << "a grid that is one block short";
  found = bench.device().unwritten();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].first_byte, 3 * ExactBench::kStrideBytes);
  EXPECT_EQ(found[0].bytes, ExactBench::kRowBytes);
  ASSERT_TRUE(bench.launch_again("copy", 4, 256).ok()) << "launches add up";
  EXPECT_EQ(bench.device().unwritten().size(), 1u);
}

TEST_P(ExactTensors, CodeThatTellsNothingHasPerhapsWritten) {
  ExactBench bench = planted_bench(GetParam(), false, {"copy"});
  bench.watch();
  EXPECT_FALSE(bench.device().unwritten().empty());
  bench.bench().build(planted(false, {"copy"}), {"copy"});
  ASSERT_TRUE(bench.launch_again("copy", 4, 256).ok());
  EXPECT_TRUE(bench.device().unwritten().empty());
}

TEST_P(ExactTensors, LaunchesReadWhatEarlierOnesWrote) {
  ExactBench bench = planted_bench(GetParam(), true, {"uses_workspace", "reads_workspace"});
  ASSERT_TRUE(bench.run("uses_workspace", 4, 256).ok());
  const Outcome reads = bench.launch_again("reads_workspace", 4, 256);
  EXPECT_TRUE(reads.ok()) << reads.message;
  bench.watch();
  EXPECT_EQ(bench.launch_again("reads_workspace", 4, 256).status, Status::uninitialised_read);
}

TEST_P(ExactTensors, TensorsThatOverlapShareTheirState) {
  ExactBench bench =
      planted_bench(GetParam(), true, {"copy", "reads_own_output", "last_not_written"});
  const auto watch = [&](bool in_place) {
    const DevicePointer in = bench.in();
    bench.device().watch({{"in", in, 4, 1024, 1040, true, false},
                          {"out", in_place ? in : bench.out(), 4, 1024, 1040, false, true}});
  };
  std::vector<KernelArgument> arguments = bench.arguments();
  arguments[1] = bench.in();
  const auto run = [&](const char* entry) {
    return bench.bench().launch({entry, {4, 1, 1}, {256, 1, 1}, 0, arguments});
  };
  watch(true);
  EXPECT_TRUE(run("copy").ok());
  EXPECT_TRUE(bench.device().unwritten().empty());
  EXPECT_TRUE(run("reads_own_output").ok()) << "as an input it has a value";
  watch(true);
  EXPECT_TRUE(run("last_not_written").ok());
  EXPECT_EQ(bench.device().unwritten().size(), 4u);
  watch(false);
  EXPECT_EQ(run("copy").status, Status::input_modified);
}

TEST_P(ExactTensors, UnwatchedCodeRunsAsItDoesOtherwise) {
  ExactBench bench = planted_bench(GetParam(), true, {"write_past_row"});
  EXPECT_TRUE(bench.launch_again("write_past_row", 4, 256).ok());
  bench.watch();
  EXPECT_FALSE(bench.launch_again("write_past_row", 4, 256).ok());
  bench.device().watch({});
  EXPECT_TRUE(bench.launch_again("write_past_row", 4, 256).ok());
}

TEST_P(ExactTensors, IndicesHaveAsManyPartsAsTheLaunch) {
  Bench bench(GetParam());
  for (const char* meet : {"", "ft_block_sync();"}) {
    bench.build_exact(R"(#include "ft.h"
FT_KERNEL(64) void cube(char* out) {
  FT_MEET
  const int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  out[64 * block + ft_thread()] = 1;
}
)",
                      {"cube"}, {{"FT_MEET", meet}});
    const DevicePointer out = bench.allocate(4096);
    bench.device().watch({{"out", out, 1, 64 * 23 + 47, 64 * 23 + 47, false, true}});
    const Outcome outcome = bench.launch({"cube", {2, 3, 4}, {4, 3, 4}, 0, {out}});
    EXPECT_THAT(outcome.message, AllOf(HasSubstr("0 bytes past the end of 'out'"),
                                       HasSubstr("block (1, 2, 3), thread (3, 2, 3), test.hip:5")));
    const auto fault = bench.device().last_fault();
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->block, (std::array<std::int64_t, 3>{1, 2, 3}));
    EXPECT_EQ(fault->thread, (std::array<std::int64_t, 3>{3, 2, 3}));
    EXPECT_EQ(fault->place, "test.hip:5");
    EXPECT_TRUE(fault->write);
  }
}

}  // namespace
}  // namespace fusetune::testing

#include "exact_support.hpp"

#include <algorithm>

namespace fusetune::testing {

ExactBench::ExactBench(int wave_size, std::string source, std::vector<std::string> entries,
                       bool exact)
    : bench_(wave_size), source_(std::move(source)) {
  exact ? bench_.build_exact(source_, entries) : bench_.build(source_, entries);
  // High and low alike: what is exact does not need pages to end where tensors do.
  in_ = bench_.allocate(2 * kRows * kStrideBytes) + 512;
  out_ = bench_.allocate(2 * kRows * kStrideBytes) + 512;
  work_ = bench_.allocate(kWorkBytes);
  counter_ = bench_.allocate(kCounterBytes);
}

void ExactBench::watch() {
  device().watch({{"in", in_, kRows, kRowBytes, kStrideBytes, true, false},
                  {"out", out_, kRows, kRowBytes, kStrideBytes, false, true},
                  {"work", work_, 1, kWorkBytes, kWorkBytes, false, true},
                  {"counter", counter_, 1, kCounterBytes, kCounterBytes, true, true}});
}

Outcome ExactBench::run(const std::string& entry, std::int64_t grid, std::int64_t block,
                        std::uint64_t seed) {
  device().schedule(seed);
  return run({entry, {grid, 1, 1}, {block, 1, 1}, 0, arguments()});
}

Outcome ExactBench::run(const KernelLaunch& launch) {
  watch();
  return bench_.launch(launch);
}

Outcome ExactBench::launch_again(const std::string& entry, std::int64_t grid, std::int64_t block) {
  return bench_.launch({entry, {grid, 1, 1}, {block, 1, 1}, 0, arguments()});
}

std::string ExactBench::line(const std::string& text) const {
  const std::size_t at = source_.find(text);
  if (at == std::string::npos) throw std::runtime_error("no line holds " + text);
  return "test.hip:" +
         std::to_string(1 +
                        std::count(source_.begin(), source_.begin() + static_cast<long>(at), '\n'));
}

std::string exact_kernel(const std::string& name, const std::string& body) {
  return "FT_KERNEL(1024) void " + name +
         "(const float* in, float* out, float* work, ft_i32* counter) {\n" +
         "  (void)in, (void)out, (void)work, (void)counter;\n" +
         "  const int t = threadIdx.x, b = blockIdx.x, row = 260 * b;\n"
         "  (void)t, (void)row;\n" +
         body + "\n}\n";
}

}  // namespace fusetune::testing

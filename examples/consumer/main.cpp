// Selects, compiles and launches what a table chose, and checks that this is what ran: for every
// row and its interval's ends, the row that the header names is the one whose code was loaded, its
// grids and blocks are those that reached the device, nothing was compiled while "requests" waited,
// and the results are right.
//
//   consumer DEVICE [--plant BUG]     exit code 0: all as the table says; 1: not; 2: it cannot run
//
// A planted bug shows that a check is one: other-row, other-grid, lost-launch, late-compilation,
// changed-define.

#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fusetune/runtime.hpp"
#include "fusetune_split_reshape_cat.hpp"
#include "split.hpp"

namespace runtime = fusetune::runtime;
namespace table = fusetune::split_reshape_cat;

namespace {

class Consumer {
 public:
  Consumer(std::string_view device, std::string plant)
      : device_(runtime::Device::open(device)), plant_(std::move(plant)) {
    query_.architecture = device_.architecture();
    query_.device = device_.name();
    query_.layout = table::layout::contiguous;
    facts_.cu_count = device_.cu_count();
    facts_.lds_bytes_max = device_.lds_bytes_max();
    facts_.block_threads_max = device_.block_threads_max();
  }

  /// The number of problems found.
  int run() {
    std::vector<Shape> served;
    for (Shape shape : kModels)
      for (shape.tokens = 1; shape.tokens <= kTokensMax; ++shape.tokens)
        if (is_interval_end(shape)) served.push_back(shape);
    if (served.empty())
      return problem(
          "the table has no row of layout=contiguous, at head counts of the models above, for this "
          "device");
    // A library compiles what it needs when it starts.
    for (const Shape& shape : served)
      if (plant_ != "late-compilation" || shape.nk == served.front().nk) prepare(row_of(shape));
    device_.forbid_compilation();
    for (const Shape& shape : served) serve(shape);
    std::printf("%zu calls, %zu codes, %lld compilations, %d problems\n", served.size(),
                kernels_.size(), static_cast<long long>(device_.compilations()), problems_);
    return problems_;
  }

 private:
  static constexpr std::int64_t kTokensMax = 4096;
  /// Heads per rank of the models that it serves.
  static constexpr Shape kModels[] = {{1, 2, 6, 128}, {1, 4, 8, 128}};

  int problem(const std::string& what) {
    std::printf("PROBLEM: %s\n", what.c_str());
    return ++problems_;
  }

  table::Query query_of(const Shape& shape) const {
    table::Query query = query_;
    query.nk = shape.nk;
    query.nv = shape.nv;
    query.tokens = shape.tokens;
    return query;
  }

  /// The measured row of this device, or nothing: above the largest interval there is none.
  const table::Row* row_of(const Shape& shape) const {
    const table::Match match = table::lookup(query_of(shape));
    return match.quality == table::Quality::device ? match.row : nullptr;
  }

  bool is_interval_end(const Shape& shape) const {
    const table::Row* row = row_of(shape);
    return row != nullptr && (shape.tokens == row->rows_low || shape.tokens == row->rows_high ||
                              shape.tokens == row->tuned_at || shape.tokens == 1);
  }

  runtime::Kernel& prepare(const table::Row* row) {
    const std::string key = std::string(row->geometry) + " " + std::string(row->variant);
    if (const auto known = kernels_.find(key); known != kernels_.end()) return known->second;
    runtime::Code code = runtime::code_of(*row);
    if (plant_ == "changed-define")
      for (auto& [name, value] : code.defines)
        if (name == "FT_BLOCK_SIZE") value = value == "64" ? "128" : "64";
    runtime::Kernel kernel = device_.prepare(code);
    for (const std::string& strange : kernel.strangeness()) problem(key + ": " + strange);
    return kernels_.emplace(key, std::move(kernel)).first->second;
  }

  /// What a library does for a request, and what a planted bug does instead.
  void dispatch(const Shape& shape, const Split& split) {
    const table::Query query = query_of(shape);
    const table::Row* row = row_of(shape);
    if (plant_ == "other-row")  // one that was chosen for the other model
      row = row_of(shape.nk == kModels[0].nk ? kModels[1] : kModels[0]);
    runtime::Kernel& kernel = prepare(row);
    bool lost = plant_ == "lost-launch";
    for (std::size_t i = 0; i < table::launch_count(*row); ++i) {
      const table::Launch launch = table::launch(query, *row, facts_, i);
      if (!launch.active) continue;
      if (std::exchange(lost, false)) continue;
      runtime::Launch what = runtime::launch_of(launch, *row);
      if (plant_ == "other-grid") what.grid[1] += 1;
      device_.launch(kernel, what, split.arguments());
    }
    device_.synchronize();
  }

  /// What the table says that has to be launched: looked up anew, and from nothing of dispatch().
  std::vector<runtime::Launch> expected(const Shape& shape) const {
    const table::Query query = query_of(shape);
    const table::Row& row = *table::lookup(query).row;
    std::vector<runtime::Launch> launches;
    for (std::size_t i = 0; i < table::launch_count(row); ++i)
      if (const table::Launch one = table::launch(query, row, facts_, i); one.active)
        launches.push_back(runtime::launch_of(one, row));
    return launches;
  }

  void serve(const Shape& shape) {
    const std::string at = "nk " + std::to_string(shape.nk) + ", nv " + std::to_string(shape.nv) +
                           ", tokens " + std::to_string(shape.tokens) + ": ";
    Split split(device_, shape);
    split.poison();
    try {
      dispatch(shape, split);
    } catch (const runtime::Error& error) {
      problem(at + error.what());
    }
    const std::vector<runtime::Launch> seen = device_.take_seen();
    for (const std::string& difference : runtime::differences(expected(shape), seen))
      problem(at + difference);
    for (const std::string& wrong : split.wrong_results()) problem(at + wrong);
    for (const runtime::Launch& launch : seen)
      std::printf("%s%s\n", at.c_str(), runtime::to_string(launch).c_str());
  }

  runtime::Device device_;
  std::string plant_;
  table::Query query_;
  table::Facts facts_;
  std::map<std::string, runtime::Kernel> kernels_;
  int problems_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && !(argc == 4 && std::strcmp(argv[2], "--plant") == 0)) {
    std::fprintf(stderr, "consumer DEVICE [--plant BUG]\n");
    return 2;
  }
  try {
    return Consumer(argv[1], argc == 4 ? argv[3] : "").run() == 0 ? 0 : 1;
  } catch (const runtime::Error& error) {
    std::fprintf(stderr, "cannot run: %s\n", error.what());
    return 2;
  }
}

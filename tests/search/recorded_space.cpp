#include "tests/search/recorded_space.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "harness/base/files.hpp"
#include "harness/base/hash.hpp"
#include "harness/base/json.hpp"

namespace fusetune::test {

namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

struct Series {
  std::map<std::string, std::string> values;
  std::vector<double> us;
};

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

/// Numbers by size, words by name.
std::vector<std::string> ordered(const std::set<std::string>& values, bool numbers) {
  std::vector<std::string> list(values.begin(), values.end());
  if (numbers)
    std::sort(list.begin(), list.end(), [](const std::string& a, const std::string& b) {
      return std::stoll(a) < std::stoll(b);
    });
  return list;
}

RecordedSpace space_of(std::string name, const std::vector<Series>& all) {
  std::map<std::string, std::set<std::string>> values;
  for (const Series& one : all)
    for (const auto& [axis, value] : one.values) values[axis].insert(value);
  std::erase_if(values, [](const auto& axis) { return axis.second.size() < 2; });
  std::vector<SearchAxis> axes;
  std::vector<SearchPoint> points(all.size());
  for (const auto& [axis, known] : values) {
    const bool numbers = std::all_of(known.begin(), known.end(), is_number);
    const std::vector<std::string> list = ordered(known, numbers);
    axes.push_back({axis, list.size(), numbers});
    for (std::size_t i = 0; i < all.size(); ++i)
      points[i].push_back(static_cast<std::uint16_t>(
          std::find(list.begin(), list.end(), all[i].values.at(axis)) - list.begin()));
  }
  RecordedSpace recorded{std::move(name), SearchSpace(axes, points), {}, {}};
  for (const Series& one : all) {
    recorded.samples_us.push_back(one.us);
    recorded.us.push_back(median(one.us));
  }
  return recorded;
}

}  // namespace

double RecordedSpace::best_us() const { return *std::min_element(us.begin(), us.end()); }

std::vector<RecordedSpace> read_recording(const std::filesystem::path& file) {
  std::map<std::string, std::vector<Series>> by_rows;
  for (const Json& one : Json::parse(read_file(file))) {
    if (one.at("implementation") != "fused") continue;
    Series series{one.at("values").get<std::map<std::string, std::string>>(),
                  one.at("us").get<std::vector<double>>()};
    const auto rows = series.values.find("tokens");
    by_rows[rows == series.values.end() ? "" : rows->second].push_back(std::move(series));
  }
  std::vector<RecordedSpace> spaces;
  for (const auto& [rows, all] : by_rows)
    spaces.push_back(space_of(file.stem().string() + (rows.empty() ? "" : " " + rows), all));
  return spaces;
}

std::vector<RecordedSpace> recorded_spaces() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(FUSETUNE_TESTS_DIR "/search/spaces"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<RecordedSpace> spaces;
  for (const std::filesystem::path& file : files)
    for (RecordedSpace& one : read_recording(file)) spaces.push_back(std::move(one));
  return spaces;
}

namespace {

struct Kernel {
  double block, rows, vector, unroll;
  bool persistent;
  int mapping;
};

double time_of(const Kernel& kernel, double rows, double row_bytes) {
  constexpr double kUnits = 132, kBytesPerUs = 3.2e6, kThreadsPerUnit = 2048;
  constexpr double kBytesInFlight = 40000;  // of a unit, to hide the memory's latency
  const double threads_per_row = kernel.mapping == 1 ? std::min(64.0, kernel.block) : kernel.block;
  // Registers bound the threads of a unit; beyond a hundred they spill.
  const double registers = 24 + kernel.unroll * kernel.vector / 4 * (kernel.mapping == 2 ? 6 : 4) +
                           (kernel.persistent ? 6 : 0) + 2 * std::log2(kernel.rows);
  const double spill = registers > 100 ? 1 + 0.01 * (registers - 100) : 1;
  const double resident =
      std::floor(std::min(kThreadsPerUnit, 65536 / registers) / kernel.block) * kernel.block;
  if (resident < kernel.block) return 40;
  const double blocks = std::ceil(rows / kernel.rows * (kernel.mapping == 3 ? 2 : 1));
  const double slots = kUnits * resident / kernel.block;
  const double launched = kernel.persistent ? std::min(blocks, slots) : blocks;
  const double waves = blocks / slots;
  const double tail = waves <= 1 ? 1 : std::ceil(waves) / waves;
  const double busy = std::min(1.0, launched / slots);
  const double idle_lanes = std::ceil(row_bytes / (threads_per_row * kernel.vector)) *
                            threads_per_row * kernel.vector / row_bytes;
  const double in_flight = busy * resident * kernel.vector * kernel.unroll / std::sqrt(idle_lanes);
  const double bandwidth = kBytesPerUs * in_flight / (in_flight + kBytesInFlight);
  const double per_block_us = kernel.persistent ? 0.0 : 0.0006 * blocks / kUnits;
  return 2.2 + (kernel.persistent ? 0.25 : 0) + per_block_us +
         2 * rows * row_bytes / bandwidth * (kernel.persistent ? std::sqrt(tail) : tail) * spill *
             (1 + 0.02 * kernel.mapping);
}

}  // namespace

RecordedSpace made_up_space(const std::string& name, double rows, double row_bytes) {
  const std::vector<SearchAxis> axes = {{"block_size", 4, true},   {"rows_per_iter", 4, true},
                                        {"vector_bytes", 3, true}, {"unroll", 3, true},
                                        {"mapping", 4, false},     {"persistent", 2, false}};
  std::vector<SearchPoint> points;
  std::vector<std::vector<double>> samples;
  std::vector<double> times;
  SearchPoint point(axes.size(), 0);
  for (bool more = true; more;) {
    const Kernel kernel{std::ldexp(64, point[0]), std::ldexp(1, point[1]), std::ldexp(2, point[2]),
                        std::ldexp(1, point[3]),  point[5] == 1,           point[4]};
    // Constraints leave holes, as those of families do.
    const bool is_valid = kernel.vector * kernel.unroll * kernel.block <= 4 * row_bytes &&
                          (kernel.mapping != 2 || kernel.persistent);
    if (is_valid) {
      const auto draw = [&point, &name](std::uint64_t seed) {
        const std::uint64_t hash =
            hash64(point.data(), 2 * point.size(), seed + 1000 * hash64(name.data(), name.size()));
        return std::ldexp(static_cast<double>(hash >> 11), -53) - 0.5;
      };
      times.push_back(time_of(kernel, rows, row_bytes) * std::exp(0.06 * draw(0)));
      auto& own = samples.emplace_back();
      for (std::uint64_t i = 1; i <= 6; ++i) own.push_back(times.back() * std::exp(0.05 * draw(i)));
      points.push_back(point);
    }
    more = false;
    for (std::size_t a = axes.size(); a-- > 0 && !more;) {
      more = ++point[a] < axes[a].values;
      if (!more) point[a] = 0;
    }
  }
  return {name, SearchSpace(axes, points), samples, times};
}

}  // namespace fusetune::test

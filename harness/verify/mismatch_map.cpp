#include <algorithm>

#include "harness/verify/ladder.hpp"

namespace fusetune {

namespace {

constexpr std::int64_t kMapRows = 16;
constexpr std::int64_t kMapColumns = 64;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace

std::string mismatch_map(const std::vector<bool>& wrong, std::int64_t row_elements) {
  const std::int64_t elements = std::ssize(wrong);
  if (elements == 0 || row_elements == 0) return "";
  const std::int64_t rows = ceil_div(elements, row_elements);
  const std::int64_t tile_rows = ceil_div(rows, kMapRows);
  const std::int64_t tile_columns = ceil_div(row_elements, kMapColumns);
  const std::int64_t map_rows = ceil_div(rows, tile_rows);
  const std::int64_t map_columns = ceil_div(row_elements, tile_columns);
  // Every line ends with a newline.
  std::string map;
  for (std::int64_t r = 0; r < map_rows; ++r) map += std::string(map_columns, '.') + '\n';
  for (std::int64_t i = 0; i < elements; ++i) {
    if (!wrong[i]) continue;
    const std::int64_t row = i / row_elements / tile_rows;
    const std::int64_t column = i % row_elements / tile_columns;
    map[row * (map_columns + 1) + column] = '#';
  }
  return map;
}

}  // namespace fusetune

// The look-up: the same text for every family.

#include "harness/table/header_parts.hpp"

namespace fusetune {

namespace {

constexpr const char* kTargets = R"(namespace detail {

enum class Platform { unknown, host, amd, nvidia };

constexpr bool begins(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}
/// Without target features: "gfx942:sramecc+:xnack-" is gfx942.
constexpr std::string_view plain(std::string_view architecture) {
  return architecture.substr(0, architecture.find(':'));
}
constexpr Platform platform_of(std::string_view architecture) {
  if (begins(architecture, "host")) return Platform::host;
  if (begins(architecture, "gfx")) return Platform::amd;
  if (begins(architecture, "sm_")) return Platform::nvidia;
  return Platform::unknown;
}
/// 0 where it is not known.
constexpr std::int64_t wave_size_of(std::string_view architecture) {
  switch (platform_of(architecture)) {
    case Platform::host:
      return architecture == "host-w32" ? 32 : 64;
    case Platform::amd:
      if (architecture.size() == 6 && begins(architecture, "gfx9")) return 64;
      return architecture.size() == 7 && begins(architecture, "gfx1") ? 32 : 0;
    case Platform::nvidia:
      return 32;
    case Platform::unknown:
      break;
  }
  return 0;
}

/// Times taken on a CPU answer no GPU, and the reverse; nor does another wave size.
constexpr Quality quality_of(const Query& query) {
  const std::string_view architecture = plain(query.architecture);
  if (architecture == table_architecture)
    return query.device == table_device ? Quality::device : Quality::architecture;
  const bool same_platform = platform_of(architecture) == platform_of(table_architecture);
  return same_platform && wave_size_of(architecture) == table_wave_size ? Quality::generic
                                                                        : Quality::default_row;
}

}  // namespace detail

)";

constexpr const char* kLookup = R"(
/// Whether the family takes these numbers at all.
constexpr bool supports(const Query& query) {
  const Query words = detail::resolve_words(query);
  return detail::supports_words(words) && detail::supports_sizes(detail::resolve_sizes(words));
}

namespace detail {

constexpr int compare(const Key& a, const Key& b) {
  for (std::size_t i = 0; i < sizeof(a.parts) / sizeof(a.parts[0]); ++i) {
    if (a.parts[i] != b.parts[i]) return a.parts[i] < b.parts[i] ? -1 : 1;
  }
  return 0;
}

constexpr const Geometry* find_geometry(const Key& key) {
  std::size_t low = 0, high = sizeof(geometries) / sizeof(geometries[0]);
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    const int order = compare(geometries[middle].key, key);
    if (order == 0) return &geometries[middle];
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return nullptr;
}

constexpr const Row* find_row(const Geometry& geometry, std::int64_t count) {
  std::size_t low = geometry.first_row, high = geometry.first_row + geometry.row_count;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (rows[middle].rows_high < count) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const bool found = low < geometry.first_row + geometry.row_count && rows[low].rows_low <= count;
  return found ? &rows[low] : nullptr;
}

constexpr bool sorted() {
  for (std::size_t i = 1; i < sizeof(geometries) / sizeof(geometries[0]); ++i) {
    if (compare(geometries[i - 1].key, geometries[i].key) >= 0) return false;
  }
  return true;
}

constexpr bool covered() {
  std::size_t row = 0;
  for (const Geometry& geometry : geometries) {
    if (geometry.first_row != row || geometry.row_count == 0) return false;
    std::int64_t next = 0;
    for (; row < geometry.first_row + geometry.row_count; ++row) {
      if (rows[row].rows_low != next || rows[row].rows_high < next) return false;
      next = rows[row].rows_high + 1;
    }
  }
  return row == sizeof(rows) / sizeof(rows[0]);
}

constexpr bool launchable() {
  for (const Geometry& geometry : geometries) {
    for (std::size_t i = geometry.first_row; i < geometry.first_row + geometry.row_count; ++i) {
      const Query query = query_of(geometry.key, rows[i].tuned_at);
      for (std::size_t l = 0; l < launch_count(rows[i]); ++l) {
        const Launch one = launch(query, rows[i], Facts{}, l);
        if (!one.active) continue;
        const std::int64_t threads = one.block.x * one.block.y * one.block.z;
        if (threads < 1 || threads > table_block_threads_max) return false;
        if (one.lds_bytes < 0 || one.lds_bytes > table_lds_bytes_max) return false;
      }
    }
  }
  return true;
}

static_assert(sorted(), "geometries are sorted, none stands twice");
static_assert(covered(), "the rows of a geometry cover [0, max] once, without gap");
static_assert(launchable(), "every block and its LDS fit the device");

}  // namespace detail

/// Exact in everything but the row count, which lies in an interval. No row is returned only for
/// what the family does not support.
constexpr Match lookup(const Query& query) {
  if (!supports(query)) return {nullptr, Quality::unsupported};
  const Match fallback = {&default_row, Quality::default_row};
  const Quality quality = detail::quality_of(query);
  if (quality == Quality::default_row) return fallback;
  const Query resolved = detail::resolve(query);
  const detail::Geometry* geometry = detail::find_geometry(detail::key_of(resolved));
  if (geometry == nullptr) return fallback;
  const Row* row = detail::find_row(*geometry, detail::rows_of(resolved));
  return row == nullptr ? fallback : Match{row, quality};
}
)";

}  // namespace

std::string header_targets() { return kTargets; }

std::string header_lookup() { return kLookup; }

}  // namespace fusetune

#pragma once
// A small table of split_reshape_cat, with everything that a row may have.

#include <filesystem>
#include <string>
#include <vector>

#include "harness/table/table.hpp"

namespace fusetune::testing {

inline Geometry geometry(const std::string& text) { return parse_geometry_key(text); }

inline Certificate certificate(double median_us) {
  Certificate c;
  c.samples = 24;
  c.epochs = 4;
  c.median_us = median_us;
  c.low_us = 0.97 * median_us;
  c.high_us = 1.1 * median_us;
  c.spread_percent = 1.0 / 3;
  c.versus_baseline = 1.7;
  c.versus_low = 1.6;
  c.versus_high = 1.8;
  c.regret_percent = 0.25;
  c.flip_probability = 0.125;
  c.tie_set = {"z=1", "a=1"};
  c.candidates = 12;
  c.baseline_launches = 4;
  c.launches = 1;
  c.proved_on = "host-w64 fast";
  c.proofs = 9;
  c.batch_class = "0123abcd";
  c.search = {"model", 3, 24, 250};
  return c;
}

inline TableRow row(const std::shared_ptr<const Family>& family, const std::string& geometry_key,
                    std::int64_t low, std::int64_t high, const std::string& variant_key) {
  TableRow row;
  row.geometry = geometry(geometry_key);
  row.rows_low = low;
  row.rows_high = high;
  row.tuned_at = high;
  row.variant = parse_variant_key(*family, variant_key);
  row.is_default = row.variant.implementation == family->baseline;
  row.certificate = certificate(0.1 * static_cast<double>(low + 1));
  row.code_identity = "code-" + std::to_string(low);
  row.source_hash = "source-" + variant_key;
  return row;
}

inline const char* const kInterleaved =
    "split_reshape_cat(act=bf16,ba=bf16,hk=128,hv=128,layout=interleaved,nk=2,nv=4,zero_fill=off)";
inline const char* const kMerged =
    "split_reshape_cat(act=bf16,ba=bf16,hk=128,hv=128,layout=merged,nk=2,nv=6,zero_fill=on)";

inline const char* const kRowVariant =
    "block_size=256,mapping=row,nontemporal=off,persistent=off,rows_per_iter=1,vector_bytes=16";
inline const char* const kFlatVariant =
    "block_size=128,mapping=flat,nontemporal=on,persistent=on,rows_per_iter=2,vector_bytes=16";
inline const char* const kHeadVariant =
    "block_size=512,mapping=row_head,nontemporal=off,persistent=off,rows_per_iter=4,vector_bytes=8";

inline Table table(const std::string& target = "host-w64") {
  Table table;
  table.family = find_family("split_reshape_cat");
  table.target = parse_target(target);
  table.device = target == "host-w64" ? target : "Device \"of\" " + target;
  table.facts.cu_count = 3;
  table.rows = {
      row(table.family, kInterleaved, 0, 1, kRowVariant),
      row(table.family, kInterleaved, 2, 64, kFlatVariant),
      row(table.family, kInterleaved, 65, 4096, "implementation=unfused"),
      row(table.family, kMerged, 0, 128, kHeadVariant),
  };
  for (TableRow& row : table.rows)
    row.provenance = {
        "0.1.0", "g++ 12 'quoted' \\", "quick\nstart", "cold", {{"cpu", "a \"CPU\" ?\?/"}}};
  // Taken over from an earlier campaign.
  table.rows[2].provenance.data = "hot";
  return table;
}

}  // namespace fusetune::testing

#include "harness/compile/occupancy.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace fusetune {

namespace {

/// A compute unit (gfx9) or work-group processor (gfx10 and later), as AMD's ISA manuals and LLVM's
/// AMDGPU target describe it. Register figures are per SIMD and for a wave of 64; a wave of 32 has
/// twice as many, in granules twice as large.
struct ComputeUnit {
  std::int64_t simds = 4;
  std::int64_t waves_max = 10;   ///< per SIMD
  std::int64_t groups_max = 16;  ///< blocks of more than one wave
  std::int64_t vgpr_total = 256;
  std::int64_t vgpr_granule = 4;
  std::int64_t sgpr_total = 800;  ///< 0: never a limit
  std::int64_t sgpr_granule = 16;
  std::int64_t lds_bytes = 65536;
  std::int64_t lds_block_bytes_max = 65536;
  std::int64_t lds_granule_bytes = 512;
};

constexpr ComputeUnit kGcn5{};
/// One register file for VGPRs and AGPRs.
constexpr ComputeUnit kCdna2{.waves_max = 8, .vgpr_total = 512, .vgpr_granule = 8};
constexpr ComputeUnit kCdna4{.waves_max = 8,
                             .vgpr_total = 512,
                             .vgpr_granule = 8,
                             .lds_bytes = 163840,
                             .lds_block_bytes_max = 163840,
                             .lds_granule_bytes = 1280};
constexpr ComputeUnit kRdna1{.waves_max = 20,
                             .groups_max = 32,
                             .vgpr_total = 512,
                             .vgpr_granule = 4,
                             .sgpr_total = 0,
                             .lds_bytes = 131072};
constexpr ComputeUnit kRdna2{.waves_max = 16,
                             .groups_max = 32,
                             .vgpr_total = 512,
                             .vgpr_granule = 8,
                             .sgpr_total = 0,
                             .lds_bytes = 131072,
                             .lds_granule_bytes = 1024};
constexpr ComputeUnit kRdna3Large{.waves_max = 16,
                                  .groups_max = 32,
                                  .vgpr_total = 768,
                                  .vgpr_granule = 12,
                                  .sgpr_total = 0,
                                  .lds_bytes = 131072,
                                  .lds_granule_bytes = 1024};

struct Known {
  std::string_view target;
  const ComputeUnit* unit;
};

constexpr std::array kKnown{
    Known{"gfx900", &kGcn5},        Known{"gfx902", &kGcn5},        Known{"gfx904", &kGcn5},
    Known{"gfx906", &kGcn5},        Known{"gfx908", &kGcn5},        Known{"gfx909", &kGcn5},
    Known{"gfx90c", &kGcn5},        Known{"gfx90a", &kCdna2},       Known{"gfx940", &kCdna2},
    Known{"gfx941", &kCdna2},       Known{"gfx942", &kCdna2},       Known{"gfx950", &kCdna4},
    Known{"gfx1010", &kRdna1},      Known{"gfx1011", &kRdna1},      Known{"gfx1012", &kRdna1},
    Known{"gfx1013", &kRdna1},      Known{"gfx1030", &kRdna2},      Known{"gfx1031", &kRdna2},
    Known{"gfx1032", &kRdna2},      Known{"gfx1033", &kRdna2},      Known{"gfx1034", &kRdna2},
    Known{"gfx1035", &kRdna2},      Known{"gfx1036", &kRdna2},      Known{"gfx1100", &kRdna3Large},
    Known{"gfx1101", &kRdna3Large}, Known{"gfx1102", &kRdna2},      Known{"gfx1103", &kRdna2},
    Known{"gfx1150", &kRdna2},      Known{"gfx1151", &kRdna3Large}, Known{"gfx1152", &kRdna2},
    Known{"gfx1200", &kRdna3Large}, Known{"gfx1201", &kRdna3Large},
};

const ComputeUnit* find_unit(std::string_view target) {
  const std::string_view name = target.substr(0, target.find(':'));  // without ":xnack+"
  for (const Known& known : kKnown)
    if (known.target == name) return known.unit;
  return nullptr;
}

std::int64_t round_up(std::int64_t value, std::int64_t granule) {
  return (value + granule - 1) / granule * granule;
}

/// Waves of `used` registers that a file of `total` holds; a kernel occupies at least one granule.
std::int64_t waves_in(std::int64_t total, std::int64_t granule, std::int64_t used) {
  return total / round_up(std::max<std::int64_t>(used, 1), granule);
}

std::int64_t waves_by_registers(const ComputeUnit& unit, const KernelFacts& facts,
                                std::int64_t wave_size) {
  const std::int64_t lanes = wave_size == 32 ? 2 : 1;
  // Either the files are separate and equally large, or the VGPR count holds both.
  const std::int64_t vector_registers = std::max(*facts.vgpr, facts.agpr.value_or(0));
  std::int64_t waves =
      std::min(unit.waves_max,
               waves_in(unit.vgpr_total * lanes, unit.vgpr_granule * lanes, vector_registers));
  if (unit.sgpr_total > 0 && facts.sgpr)
    waves = std::min(waves, waves_in(unit.sgpr_total, unit.sgpr_granule, *facts.sgpr));
  return waves;
}

}  // namespace

std::optional<std::int64_t> occupancy_waves(const Target& target, const KernelFacts& facts,
                                            std::int64_t block_threads) {
  const ComputeUnit* unit = find_unit(target.name);
  if (unit == nullptr || !facts.vgpr || block_threads <= 0) return std::nullopt;
  const std::int64_t wave_size = facts.wave_size.value_or(target.wave_size);
  if (wave_size <= 0) return std::nullopt;
  const std::int64_t block_waves = (block_threads + wave_size - 1) / wave_size;
  std::int64_t blocks = waves_by_registers(*unit, facts, wave_size) * unit->simds / block_waves;
  if (block_waves > 1) blocks = std::min(blocks, unit->groups_max);
  const std::int64_t lds_bytes = facts.lds_bytes.value_or(0);
  if (lds_bytes > unit->lds_block_bytes_max) return 0;
  if (lds_bytes > 0)
    blocks = std::min(blocks, unit->lds_bytes / round_up(lds_bytes, unit->lds_granule_bytes));
  return (blocks * block_waves + unit->simds - 1) / unit->simds;
}

}  // namespace fusetune

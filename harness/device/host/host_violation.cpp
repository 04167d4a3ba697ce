// What instrumented code did wrong, in the words of its author.
#include <fmt/format.h>

#include "harness/device/host/fault_text.hpp"
#include "harness/device/host/host_device.hpp"

namespace fusetune {

namespace {

Status status_of(Violation::Kind kind) {
  switch (kind) {
    case Violation::Kind::race:
      return Status::race;
    case Violation::Kind::uninitialised:
      return Status::uninitialised_read;
    case Violation::Kind::input_modified:
      return Status::input_modified;
    case Violation::Kind::misaligned:
      return Status::misaligned;
    case Violation::Kind::out_of_bounds:
    case Violation::Kind::index:
      break;
  }
  return Status::out_of_bounds;
}

/// Where a byte lies that may be touched.
struct Location {
  std::string owner;   ///< "shared memory 'partial'", "'y'"
  std::string offset;  ///< "offset 16", "row 2, byte 16"
};

Location locate(std::uintptr_t address, const BlockShared& shared, const WatchedMemory& watched) {
  if (const BlockShared::Variable* variable = shared.find(address))
    return {variable->name, fmt::format("offset {}", address - variable->begin)};
  const WatchedMemory::Place place = watched.describe(address);
  if (place.tensor == nullptr) return {"memory", fmt::format("address {:#x}", address)};
  return {fmt::format("'{}'", place.tensor->name), place.text};
}

/// "16 bytes past the end of 'y'".
std::string miss_text(const Violation& violation, const BlockShared& shared,
                      const WatchedMemory& watched) {
  const std::uintptr_t end = violation.address + violation.bytes;
  if (const BlockShared::Variable* variable = shared.find(violation.address))
    return fmt::format("ending {} past the end of {}",
                       bytes_text(static_cast<std::int64_t>(end - variable->end)), variable->name);
  if (const BlockShared::Variable* variable = shared.find_before(violation.address))
    return fmt::format("{} past the end of {}",
                       bytes_text(static_cast<std::int64_t>(violation.address - variable->end)),
                       variable->name);
  if (const auto place = watched.describe_miss(violation.address, violation.bytes))
    return place->text;
  return fmt::format("at {:#x}, which is in no tensor", violation.address);
}

std::string verb(const Violation::Side& side) {
  return fmt::format("{}{}", side.atomic ? "atomic " : "", side.write ? "write" : "read");
}

/// "write at x.hip:41 by block 2, thread 3"; the block where there are two.
std::string side_text(const Violation::Side& side, const std::string& place, bool with_block,
                      const KernelLaunch& launch) {
  std::string text = verb(side);
  if (!place.empty()) text += " at " + place;
  text += " by ";
  if (with_block)
    text += fmt::format("block {}, ", index_text(index_of(side.block, launch.grid), launch.grid));
  const auto thread = index_of(static_cast<std::uint64_t>(side.thread), launch.block);
  return text + "thread " + index_text(thread, launch.block);
}

}  // namespace

/// "race in 'y': write at a.hip:3 by thread 1 after write at a.hip:3 by thread 0, byte 4 (...)".
Outcome HostDevice::race_outcome(const Violation& violation, const Run& run) {
  const KernelLaunch& launch = *run.launch;
  const Violation::Side &now = violation.now, &earlier = violation.earlier;
  const bool blocks = now.block != earlier.block;
  const Location at = locate(violation.address, exact_.shared(), exact_.watched());
  const std::string here = source_place(*run.module, static_cast<std::int64_t>(now.site));
  const std::string there = source_place(*run.module, static_cast<std::int64_t>(earlier.site));
  const std::string where =
      blocks ? launch.entry
             : fmt::format("{}, block {}", launch.entry,
                           index_text(index_of(now.block, launch.grid), launch.grid));
  return {Status::race,
          fmt::format("race {}in {}: {} after {}, {} ({})", blocks ? "between blocks " : "",
                      at.owner, side_text(now, here, blocks, launch),
                      side_text(earlier, there, blocks, launch), at.offset, where)};
}

Outcome HostDevice::outcome_of(const Violation& violation, const Run& run) {
  const KernelLaunch& launch = *run.launch;
  const Violation::Side& now = violation.now;
  Fault& report = last_fault_.emplace();
  report.write = now.write;
  report.block = index_of(now.block, launch.grid);
  report.thread = index_of(static_cast<std::uint64_t>(now.thread), launch.block);
  report.place = source_place(*run.module, static_cast<std::int64_t>(now.site));
  if (violation.kind == Violation::Kind::race) return race_outcome(violation, run);

  std::string where =
      fmt::format("{}, block {}, thread {}", launch.entry, index_text(report.block, launch.grid),
                  index_text(report.thread, launch.block));
  if (!report.place.empty()) where += ", " + report.place;
  const auto end = [&](const std::string& what) {
    return Outcome{status_of(violation.kind), fmt::format("{} ({})", what, where)};
  };
  const Location at = locate(violation.address, exact_.shared(), exact_.watched());
  const std::string bytes = bytes_text(static_cast<std::int64_t>(violation.bytes));
  if (violation.kind == Violation::Kind::uninitialised)
    return end(fmt::format("read of uninitialised {}, {}", at.owner, at.offset));
  if (violation.kind == Violation::Kind::input_modified)
    return end(fmt::format("write of {} to the input {}, {}", bytes, at.owner, at.offset));
  if (violation.kind == Violation::Kind::misaligned)
    return end(fmt::format("{} at an address that is not a multiple of its alignment of {}",
                           verb(now), bytes));
  if (violation.kind == Violation::Kind::index)
    return end(fmt::format("index {} is outside of {}", violation.index, violation.array));
  return end(fmt::format("{} of {}, {}", verb(now), bytes,
                         miss_text(violation, exact_.shared(), exact_.watched())));
}

}  // namespace fusetune

// What a fault in a kernel means to its author.
#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <sstream>
#include <utility>

#include "harness/device/host/fault_text.hpp"
#include "harness/device/host/host_device.hpp"
#include "harness/sandbox/system_call.hpp"

namespace fusetune {

namespace {

std::array<std::int64_t, 3> to_array(const ft_host_dim& dim) { return {dim.x, dim.y, dim.z}; }

/// "kernel.hip:41", from "././kernel.hip:41 (discriminator 3)"; "" where the line is unknown.
std::string clean_place(const std::string& frame) {
  std::string place =
      std::filesystem::path(frame.substr(0, frame.find(" ("))).lexically_normal().string();
  const bool known = !place.starts_with("?") && !place.ends_with(":?") && !place.ends_with(":0");
  return known ? place : "";
}

/// Common headers, and what is generated around a kernel.
bool is_device_code(const std::string& place) {
  const std::string file = std::filesystem::path(place).filename().string();
  return file.starts_with("ft.h:") || file.starts_with("ft_") ||
         place.starts_with("fusetune_host/");
}

/// The kernel's own line from addr2line's list of inlined frames, innermost first: the common
/// header's lines say nothing when there is another.
std::string kernel_line(const std::string& frames) {
  std::istringstream lines(frames);
  std::string innermost;
  for (std::string frame; std::getline(lines, frame);) {
    std::string place = clean_place(frame);
    if (place.empty()) continue;
    if (!is_device_code(place)) return place;
    if (innermost.empty()) innermost = std::move(place);
  }
  return innermost;
}

}  // namespace

std::string HostDevice::position(const HostModule& module, const KernelLaunch& launch) const {
  return fmt::format("{}, block {}", launch.entry,
                     index_text(to_array(*module.table().block_idx), launch.grid));
}

std::string HostDevice::source_place(const HostModule& module, std::int64_t offset) {
  if (offset <= 0) return "";
  const auto [known, added] = places_.try_emplace({module.path(), offset});
  if (added) known->second = kernel_line(lines_->frames(module.path(), offset));
  return known->second;
}

Outcome HostDevice::outcome_of(const HardwareFault& fault, const Run& run) {
  Fault& report = last_fault_.emplace();
  report.block = to_array(*run.module->table().block_idx);
  report.thread = to_array(*run.module->table().thread_idx);
  report.write = fault.write;
  report.place = source_place(*run.module, run.module->code_offset(fault.instruction));
  std::string where = fmt::format("{}, thread {}", position(*run.module, *run.launch),
                                  index_text(report.thread, run.launch->block));
  if (!report.place.empty()) where += ", " + report.place;

  const auto end = [&](Status status, const std::string& what) {
    return Outcome{status, fmt::format("{} ({})", what, where)};
  };
  if (fault.misaligned)
    return end(Status::misaligned, "access at an address that is not a multiple of its alignment");
  if (fault.signal == SIGFPE) return end(Status::kernel_fault, "integer division by zero");
  if (fault.signal == SIGSYS)
    return end(Status::kernel_fault, "the kernel called " + refusal_text(fault.refused));
  const char* verb = fault.write ? "write" : "read";
  if (!fault.has_address) return end(Status::kernel_fault, "access to an impossible address");
  if (fibres_.stacks().in_guard(fault.address))
    return end(Status::kernel_fault, "a thread needs more stack than the host device has");
  const std::optional<GuardedMemory::Miss> miss = memory_.find_miss(fault.address);
  if (!miss) return end(Status::kernel_fault, fmt::format("{} at {:#x}", verb, fault.address));
  report.buffer = miss->buffer;
  report.buffer_bytes = miss->size_bytes;
  report.offset_bytes = miss->offset_bytes;
  const std::string distance =
      miss->offset_bytes < 0
          ? fmt::format("{} before", bytes_text(-miss->offset_bytes))
          : fmt::format("{} past the end of", bytes_text(miss->offset_bytes - miss->size_bytes));
  const std::string buffer =
      miss->buffer == dynamic_shared_
          ? fmt::format("dynamic shared memory of {}", bytes_text(miss->size_bytes))
          : fmt::format("a buffer of {}", bytes_text(miss->size_bytes));
  return end(Status::out_of_bounds, fmt::format("{} {} {}", verb, distance, buffer));
}

}  // namespace fusetune

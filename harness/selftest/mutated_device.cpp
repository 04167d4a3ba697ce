#include "harness/selftest/mutated_device.hpp"

#include <variant>

namespace fusetune {

namespace {

using Kind = DeviceChange::Kind;

void add(KernelArgument& argument, std::int64_t addend) {
  std::visit([addend](auto& value) { value += static_cast<std::decay_t<decltype(value)>>(addend); },
             argument);
}

}  // namespace

void MutatedDevice::release(DevicePointer pointer) {
  late_.clear();
  inner().release(pointer);
}

void MutatedDevice::copy_to(DevicePointer destination, const void* source, std::size_t size_bytes) {
  run_late();
  inner().copy_to(destination, source, size_bytes);
}

Outcome MutatedDevice::launch(const LoadedCode& code, const KernelLaunch& planned) {
  KernelLaunch launch = planned;
  if (const auto change = facts_.additions.find(launch.entry); change != facts_.additions.end())
    add(launch.arguments.at(change->second.first), change->second.second);
  ++launches_;
  switch (change_.kind) {
    case Kind::none:
      return inner().launch(code, launch);
    case Kind::loses_launches:
      return launches_ % change_.every == 0 ? Outcome{} : inner().launch(code, launch);
    case Kind::skips_last_block:
      launch.grid[0] -= 1;
      return launch.grid[0] <= 0 ? Outcome{} : inner().launch(code, launch);
    case Kind::repeats_launches: {
      const Outcome first = inner().launch(code, launch);
      return first.ok() ? inner().launch(code, launch) : first;
    }
    case Kind::keeps_stale_inputs:
      return run_on_stale_inputs(code, launch);
    case Kind::returns_early:
    case Kind::reuses_arguments:
      late_.emplace_back(&code, launch);
      last_arguments_[launch.entry] = launch.arguments;
      return {};
  }
  return {};
}

Outcome MutatedDevice::synchronize() {
  if (change_.kind == Kind::returns_early) return {};
  for (const auto& [code, launch] : std::exchange(late_, {})) {
    KernelLaunch last = launch;
    last.arguments = last_arguments_[launch.entry];
    if (Outcome outcome = inner().launch(*code, last); !outcome.ok()) return outcome;
  }
  return inner().synchronize();
}

void MutatedDevice::run_late() {
  for (const auto& [code, launch] : std::exchange(late_, {}))
    if (!inner().launch(*code, launch).ok()) return;
}

Outcome MutatedDevice::run_on_stale_inputs(const LoadedCode& code, const KernelLaunch& launch) {
  std::vector<std::pair<DevicePointer, std::vector<std::byte>>> current;
  for (const InputArgument& input : facts_.inputs[launch.entry]) {
    const DevicePointer pointer = std::get<DevicePointer>(launch.arguments.at(input.index));
    std::vector<std::byte> bytes(input.bytes);
    inner().copy_from(bytes.data(), pointer, bytes.size());
    const auto [known, is_new] = first_seen_.try_emplace(pointer, bytes);
    if (is_new) continue;
    inner().copy_to(pointer, known->second.data(), known->second.size());
    current.emplace_back(pointer, std::move(bytes));
  }
  Outcome outcome = inner().launch(code, launch);
  if (outcome.ok()) outcome = inner().synchronize();
  for (const auto& [pointer, bytes] : current) inner().copy_to(pointer, bytes.data(), bytes.size());
  return outcome;
}

}  // namespace fusetune

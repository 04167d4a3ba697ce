#include "harness/device/simulated/simulated_device.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/base/hash.hpp"
#include "harness/compile/simulated_code.hpp"
#include "harness/device/simulated/simulated_kernels.hpp"
#include "harness/device/simulated/simulated_program.hpp"

namespace fusetune {

namespace {

constexpr std::int64_t kSimulatedUnits = 64;

}  // namespace

SimulatedDevice::SimulatedDevice(const Target& target, const Simulation& simulation)
    : simulation_(simulation), clock_(simulation) {
  properties_.name = target.name;
  properties_.target = target;
  properties_.facts.cu_count = kSimulatedUnits;
  properties_.cache_bytes = simulation.cache_bytes;
  properties_.conditions = {{"simulation", simulation.name},
                            {"measuring", simulation.measuring_key()}};
}

DevicePointer SimulatedDevice::allocate(std::size_t size_bytes, Place place) {
  const auto bytes = static_cast<std::int64_t>(size_bytes);
  if (simulation_.memory_bytes > 0 && used_bytes_ + bytes > simulation_.memory_bytes)
    throw std::bad_alloc();
  const DevicePointer pointer = memory_.allocate(size_bytes, place);
  sizes_[pointer] = size_bytes;
  used_bytes_ += bytes;
  clock_.new_memory();
  last_touched_.clear();
  return pointer;
}

void SimulatedDevice::release(DevicePointer pointer) {
  memory_.release(pointer);
  const auto known = sizes_.find(pointer);
  if (known == sizes_.end()) return;
  used_bytes_ -= static_cast<std::int64_t>(known->second);
  sizes_.erase(known);
}

void SimulatedDevice::copy_to(DevicePointer destination, const void* source,
                              std::size_t size_bytes) {
  if (!memory_.contains(destination, size_bytes))
    throw std::out_of_range("copy_to leaves the buffer");
  clock_.wait();
  if (size_bytes > 0) std::memcpy(reinterpret_cast<void*>(destination), source, size_bytes);
}

void SimulatedDevice::copy_from(void* destination, DevicePointer source, std::size_t size_bytes) {
  if (!memory_.contains(source, size_bytes)) throw std::out_of_range("copy_from leaves the buffer");
  clock_.wait();
  if (size_bytes > 0) std::memcpy(destination, reinterpret_cast<const void*>(source), size_bytes);
}

std::unique_ptr<LoadedCode> SimulatedDevice::load(const std::string& code_path, Outcome* outcome) {
  *outcome = poisoned_;
  if (!outcome->ok()) return nullptr;
  std::optional<SimulatedCode> code;
  try {
    code = simulated_code_from(read_file(code_path));
  } catch (const UserError& error) {
    *outcome = {Status::launch_error, error.what()};
    return nullptr;
  }
  if (!code) {
    *outcome = {Status::launch_error,
                fmt::format("{} is no code object of the simulated device", code_path)};
    return nullptr;
  }
  if (session_.use_count() <= 1) {
    session_ = std::make_shared<std::uint64_t>(session_number_);
    session_has_launched_ = false;
    clock_.begin();
    untimed_.clear();
  }
  // Other code in another order is another session.
  *session_ = hash64(code->identity.data(), code->identity.size(), *session_);
  return std::make_unique<SimulatedProgram>(*std::move(code), simulation_, session_);
}

double SimulatedDevice::stamp_us() {
  // Proofs launch what was never recorded, and nobody asks for the time.
  if (!untimed_.empty()) late_ = {Status::launch_error, std::exchange(untimed_, {})};
  clock_.wait();
  clock_.end_sample();
  return clock_.moment().us;
}

Outcome SimulatedDevice::synchronize() {
  clock_.wait();
  return poisoned_.ok() ? std::exchange(late_, {}) : poisoned_;
}

bool SimulatedDevice::go_wrong(const SimulatedFault& fault, Outcome* outcome) {
  switch (fault.kind) {
    case SimulatedFault::Kind::launch_error:
      *outcome = {Status::launch_error, "simulated: the launch is refused"};
      return true;
    case SimulatedFault::Kind::out_of_memory:
      *outcome = {Status::out_of_memory, "simulated: no memory for the launch"};
      return true;
    case SimulatedFault::Kind::kernel_fault:
      *outcome = {Status::kernel_fault, "simulated: the kernel faults"};
      return true;
    case SimulatedFault::Kind::poisoned_context:
      poisoned_ = {Status::kernel_fault,
                   "simulated: the kernel faults, and the device takes nothing more"};
      *outcome = poisoned_;
      return true;
    case SimulatedFault::Kind::kernel_hang:
      for (;;) ::pause();
    case SimulatedFault::Kind::worker_death:
      ::raise(SIGKILL);
      ::_exit(1);
    case SimulatedFault::Kind::lost_launch:
      return true;
    case SimulatedFault::Kind::other_stream:
      clock_.hide_last();
      return false;
    default:
      return false;
  }
}

Outcome SimulatedDevice::launch(const LoadedCode& code, const KernelLaunch& launch) {
  return run(code, launch, false);
}

Outcome SimulatedDevice::run(const LoadedCode& code, const KernelLaunch& launch, bool replayed) {
  const auto* program = dynamic_cast<const SimulatedProgram*>(&code);
  if (program == nullptr) return {Status::launch_error, "the code was loaded by another device"};
  if (!poisoned_.ok()) return poisoned_;
  SimulatedLaunch bound;
  if (Outcome outcome = program->bind(launch, &bound); !outcome.ok()) return outcome;
  const SimulatedKernel* kernel = find_simulated_kernel(launch.entry);
  if (kernel == nullptr)
    return {Status::launch_error,
            fmt::format("the simulated device has no kernel {} built in", launch.entry)};
  seed_session(bound);
  if (replayed_first_) clock_.begin_replay();
  replayed_first_ = false;
  pass(*program, launch, bound, replayed);
  const SimulatedFault* fault = program->next_fault(launch.entry, bound.grid_blocks);
  Outcome outcome;
  if (fault != nullptr && go_wrong(*fault, &outcome)) return outcome;
  std::byte* result = nullptr;
  kernel->run(bound, &result);
  if (fault != nullptr && fault->kind == SimulatedFault::Kind::wrong_result && result != nullptr)
    *result ^= std::byte{1};
  return {};
}

void SimulatedDevice::seed_session(const SimulatedLaunch& first) {
  if (session_has_launched_) return;
  // What is run decides the draws, as the code does.
  std::uint64_t seed = *session_;
  for (const auto& [name, value] : first.numbers) seed = hash64(&value, sizeof value, seed);
  clock_.draw_from(seed);
  session_has_launched_ = true;
}

void SimulatedDevice::pass(const SimulatedProgram& program, const KernelLaunch& launch,
                           const SimulatedLaunch& bound, bool replayed) {
  const auto us = program.time_us(launch.entry, bound, clock_.sample());
  if (!us) {
    untimed_ = fmt::format("the recorded space has no samples of {}", program.text(launch.entry));
    return;
  }
  const bool cached =
      simulation_.queue.cached < 1 && is_cached(*find_simulated_kernel(launch.entry), bound);
  const double took_us = *us * (cached ? simulation_.queue.cached : 1);
  if (replayed)
    clock_.replayed_launch(program.identity(), took_us);
  else
    clock_.launch(program.identity(), took_us);
}

}  // namespace fusetune

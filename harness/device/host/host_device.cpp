#include "harness/device/host/host_device.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/device/host/cpu.hpp"
#include "harness/device/host/schedule.hpp"

namespace fusetune {

namespace {

constexpr std::int64_t kGridMax[3] = {2147483647, 65535, 65535};

std::int64_t product(const std::array<std::int64_t, 3>& dims) {
  return dims[0] * dims[1] * dims[2];
}

ft_host_dim to_dim(const std::array<std::int64_t, 3>& dims) {
  return {static_cast<unsigned>(dims[0]), static_cast<unsigned>(dims[1]),
          static_cast<unsigned>(dims[2])};
}

/// A NaN as fp32, bf16 and fp16 alike, different for each seed: what a kernel reads before it
/// writes shows, and shows differently.
std::uint32_t poison_pattern(std::uint64_t seed) {
  const auto low = static_cast<std::uint32_t>(spread_bits(seed) & 0x3f);
  const std::uint32_t half = 0x7fc0u | low;
  return half << 16 | half;
}

std::uint8_t kind_of(const KernelArgument& argument) {
  constexpr std::uint8_t kinds[] = {ft_host_pointer, ft_host_i64, ft_host_i32, ft_host_f32};
  static_assert(std::size(kinds) == std::variant_size_v<KernelArgument>);
  return kinds[argument.index()];
}

const char* kind_name(std::uint8_t kind) {
  constexpr const char* names[] = {"a pointer", "a 64-bit integer", "a 32-bit integer", "a float",
                                   "of another type"};
  return names[kind];
}

}  // namespace

HostDevice::HostDevice(const Target& target, std::shared_ptr<LineFinder> lines)
    : lines_(std::move(lines)) {
  const CpuFacts cpu = read_cpu_facts();
  properties_.name = target.name;
  properties_.target = target;
  properties_.facts.cu_count = cpu.threads;
  properties_.cache_bytes = cpu.cache_bytes;
  properties_.conditions = {{"cpu_model", cpu.model}, {"cpu_threads", cpu.threads}};
}

HostDevice::~HostDevice() = default;

DevicePointer HostDevice::allocate(std::size_t size_bytes, Place place) {
  return memory_.allocate(size_bytes, place);
}

void HostDevice::release(DevicePointer pointer) { memory_.release(pointer); }

void HostDevice::copy_to(DevicePointer destination, const void* source, std::size_t size_bytes) {
  if (!memory_.contains(destination, size_bytes))
    throw std::out_of_range("copy_to leaves the buffer");
  if (size_bytes > 0) std::memcpy(reinterpret_cast<void*>(destination), source, size_bytes);
}

void HostDevice::copy_from(void* destination, DevicePointer source, std::size_t size_bytes) {
  if (!memory_.contains(source, size_bytes)) throw std::out_of_range("copy_from leaves the buffer");
  if (size_bytes > 0) std::memcpy(destination, reinterpret_cast<const void*>(source), size_bytes);
}

std::unique_ptr<LoadedCode> HostDevice::load(const std::string& code_path, Outcome* outcome) {
  places_.clear();  // the file may have had another content
  return HostModule::load(code_path, properties_.target.wave_size, outcome);
}

double HostDevice::stamp_us() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::micro>(now).count();
}

void HostDevice::schedule(std::uint64_t seed) {
  if (seed != seed_) thread_shape_ = {0, 0, 0};
  seed_ = seed;
}

Outcome HostDevice::launch(const LoadedCode& code, const KernelLaunch& launch) {
  last_fault_.reset();
  const auto* module = dynamic_cast<const HostModule*>(&code);
  if (module == nullptr) return {Status::launch_error, "the code was loaded by another device"};
  Run run{this, module, module->find_entry(launch.entry), &launch, nullptr, false};
  if (run.entry == nullptr) {
    std::vector<std::string> names;
    for (const HostModule::Entry& entry : module->entries()) names.push_back(entry.name);
    return {Status::launch_error, unknown_name("kernel", launch.entry, names)};
  }
  if (Outcome outcome = check_shape(*module, launch); !outcome.ok()) return outcome;
  if (Outcome outcome = check_arguments(*run.entry, launch); !outcome.ok()) return outcome;
  run.arguments = argument_slots_.data();
  prepare_threads(launch.block);
  prepare_dynamic_shared(launch.lds_bytes);
  *module->table().dynamic_shared = reinterpret_cast<void*>(dynamic_shared_);
  *module->table().grid_dim = to_dim(launch.grid);
  *module->table().block_dim = to_dim(launch.block);

  if (module->exact())
    begin_exact(run);
  else
    exact_.begin_blind_launch();
  const std::optional<HardwareFault> fault = guard_.run(
      [](void* context) {
        Run& guarded = *static_cast<Run*>(context);
        guarded.device->run_blocks(guarded);
      },
      &run);
  if (module->exact()) end_exact(run, !fault && !run.diverged);
  if (module->exact() && exact_.violation()) return outcome_of(*exact_.violation(), run);
  if (fault) return outcome_of(*fault, run);
  if (run.diverged)
    return {Status::divergent_barrier,
            fmt::format("{} ({})", fibres_.divergence(), position(*module, launch))};
  return {};
}

Outcome HostDevice::check_shape(const HostModule& module, const KernelLaunch& launch) const {
  const auto refuse = [&](const char* what, const std::array<std::int64_t, 3>& dims) {
    return Outcome{Status::launch_error, fmt::format("{} of {} is {} x {} x {}", what, launch.entry,
                                                     dims[0], dims[1], dims[2])};
  };
  for (std::size_t i = 0; i < 3; ++i) {
    if (launch.grid[i] < 1 || launch.grid[i] > kGridMax[i]) return refuse("grid", launch.grid);
    if (launch.block[i] < 1 || launch.block[i] > properties_.facts.block_threads_max)
      return refuse("block", launch.block);
  }
  if (product(launch.block) > properties_.facts.block_threads_max)
    return refuse("block", launch.block);
  const std::int64_t shared = module.shared_bytes() + launch.lds_bytes;
  if (launch.lds_bytes < 0 || shared > properties_.facts.lds_bytes_max)
    return {Status::resource_limit,
            fmt::format("{} needs {} bytes of shared memory, the limit is {}", launch.entry, shared,
                        properties_.facts.lds_bytes_max)};
  return {};
}

Outcome HostDevice::check_arguments(const ft_host_entry& entry, const KernelLaunch& launch) {
  const auto count = static_cast<std::size_t>(entry.argument_count);
  if (launch.arguments.size() != count)
    return {Status::launch_error, fmt::format("{} takes {} arguments, the launch has {}",
                                              launch.entry, count, launch.arguments.size())};
  argument_slots_.assign(count, 0);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t given = kind_of(launch.arguments[i]);
    if (given != entry.kinds[i])
      return {Status::launch_error,
              fmt::format("argument {} of {} is {}, the launch passes {}", i + 1, launch.entry,
                          kind_name(entry.kinds[i]), kind_name(given))};
    std::visit([&](auto value) { std::memcpy(&argument_slots_[i], &value, sizeof value); },
               launch.arguments[i]);
  }
  return {};
}

void HostDevice::prepare_threads(const std::array<std::int64_t, 3>& block) {
  if (block == thread_shape_) return;
  threads_.clear();
  for (unsigned z = 0; z < block[2]; ++z)
    for (unsigned y = 0; y < block[1]; ++y)
      for (unsigned x = 0; x < block[0]; ++x) threads_.push_back({x, y, z});
  permuted_threads_ = threads_;
  const Permutation order(threads_.size(), seed_);
  for (std::size_t i = 0; i < threads_.size(); ++i) permuted_threads_[i] = threads_[order(i)];
  thread_shape_ = block;
}

void HostDevice::prepare_dynamic_shared(std::int64_t size_bytes) {
  if (size_bytes == dynamic_shared_bytes_) return;
  if (dynamic_shared_ != 0) memory_.release(dynamic_shared_);
  // Ends at an unmapped page, so that writing past it is seen. GPUs align it to 16 bytes.
  const std::int64_t aligned = (size_bytes + 15) / 16 * 16;
  dynamic_shared_ =
      size_bytes > 0 ? memory_.allocate(static_cast<std::size_t>(aligned), Place::high) : 0;
  dynamic_shared_bytes_ = size_bytes;
}

void HostDevice::set_block_index(const Run& run, std::uint64_t block) const {
  const auto columns = static_cast<std::uint64_t>(run.launch->grid[0]);
  const auto rows = static_cast<std::uint64_t>(run.launch->grid[1]);
  *run.module->table().block_idx = {static_cast<unsigned>(block % columns),
                                    static_cast<unsigned>(block / columns % rows),
                                    static_cast<unsigned>(block / columns / rows)};
}

void HostDevice::begin_exact(const Run& run) {
  ExactRuntime::Launch launch;
  launch.module = run.module;
  launch.entry = run.launch->entry;
  launch.threads = static_cast<int>(threads_.size());
  if (run.module->needs_fibres()) launch.fibre_thread = &fibres_.current_thread();
  launch.stacks = &fibres_.stacks();
  launch.dynamic_shared = dynamic_shared_;
  launch.dynamic_shared_bytes = dynamic_shared_bytes_;
  exact_.begin_launch(launch);
}

void HostDevice::end_exact(const Run& run, bool finished) {
  exact_.end_launch();
  if (!exact_.tracing() || !finished) return;
  exact_.end_trace([&](std::uintptr_t site) {
    return source_place(*run.module, static_cast<std::int64_t>(site));
  });
}

void HostDevice::run_blocks(Run& run) {
  const ft_host_module& table = run.module->table();
  const auto blocks = static_cast<std::uint64_t>(product(run.launch->grid));
  const Permutation order(blocks, seed_);
  const std::uint32_t poison = poison_pattern(seed_);
  const int thread_count = static_cast<int>(threads_.size());
  ExactRuntime* const exact = run.module->exact() ? &exact_ : nullptr;
  const FibreBlock::Program program{&table,          run.entry,    run.arguments,
                                    threads_.data(), thread_count, exact};
  for (std::uint64_t i = 0; i < blocks; ++i) {
    const std::uint64_t block = order.natural() ? i : order(i);
    set_block_index(run, block);
    run.module->poison_shared(poison);
    if (dynamic_shared_ != 0)
      fill_pattern(reinterpret_cast<std::byte*>(dynamic_shared_),
                   static_cast<std::size_t>(run.launch->lds_bytes), poison);
    if (exact != nullptr) exact->begin_block(block);
    if (!run.module->needs_fibres()) {
      run.entry->run(run.arguments, permuted_threads_.data(), thread_count);
    } else if (!fibres_.run(program, seed_ == 0 ? 0 : spread_bits(seed_ ^ spread_bits(block)))) {
      run.diverged = true;
      return;
    }
    if (exact != nullptr) exact->end_block();
  }
}

}  // namespace fusetune

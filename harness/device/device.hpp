#pragma once
// Something that runs code objects of its target. Small on purpose: host, hip and simulated
// implement all of it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/base/json.hpp"
#include "harness/base/status.hpp"
#include "harness/device/line_finder.hpp"
#include "harness/device/watch.hpp"
#include "harness/spec/geometry.hpp"
#include "harness/spec/target.hpp"

namespace fusetune {

struct DeviceProperties {
  std::string name;  ///< "host-w64", "AMD Instinct MI300X": also the folder in results/
  Target target;
  DeviceFacts facts;
  std::int64_t cache_bytes = 0;  ///< last-level cache
  Json conditions;  ///< what a figure depends on besides: CPU model, threads, driver, clocks policy
};

/// A buffer in device memory.
using DevicePointer = std::uintptr_t;

/// Where a buffer lies in its mapping. Devices without page protection treat both alike.
enum class Place { low, high };

/// An 8-byte-or-smaller kernel argument.
using KernelArgument = std::variant<DevicePointer, std::int64_t, std::int32_t, float>;

struct KernelLaunch {
  std::string entry;
  std::array<std::int64_t, 3> grid{1, 1, 1};
  std::array<std::int64_t, 3> block{1, 1, 1};
  std::int64_t lds_bytes = 0;
  std::vector<KernelArgument> arguments;
};

/// A code object made runnable.
class LoadedCode {
 public:
  virtual ~LoadedCode() = default;
  /// Whether the code tells the device of each of its accesses.
  virtual bool exact() const { return false; }
};

/// The access that made the last launch fail, where the device can tell.
struct Fault {
  DevicePointer buffer = 0;  ///< the allocation that it misses, 0 when none is near
  std::int64_t buffer_bytes = 0;
  std::int64_t offset_bytes = 0;  ///< from the buffer's start: negative, or at least its size
  bool write = false;
  std::array<std::int64_t, 3> block{0, 0, 0};
  std::array<std::int64_t, 3> thread{0, 0, 0};
  std::string place;  ///< "kernels/x/x.hip:41", "" when unknown
};

class Device {
 public:
  virtual ~Device() = default;
  virtual const DeviceProperties& properties() const = 0;

  /// Memory for `size_bytes`, zero-filled, aligned to 4096 at its low end (Place::low) or ending at
  /// a page end (Place::high, then the pointer is page end - size_bytes, of whatever alignment that
  /// gives). Where the device can, the pages beside it are unmapped. Throws std::bad_alloc.
  virtual DevicePointer allocate(std::size_t size_bytes, Place place) = 0;
  virtual void release(DevicePointer pointer) = 0;
  virtual void copy_to(DevicePointer destination, const void* source, std::size_t size_bytes) = 0;
  virtual void copy_from(void* destination, DevicePointer source, std::size_t size_bytes) = 0;

  /// Nothing and an outcome on failure.
  virtual std::unique_ptr<LoadedCode> load(const std::string& code_path, Outcome* outcome) = 0;

  /// Enqueues one launch. The outcome may also be reported by a later synchronize().
  virtual Outcome launch(const LoadedCode& code, const KernelLaunch& launch) = 0;
  virtual Outcome synchronize() = 0;
  /// Of the last launch that failed with out_of_bounds, misaligned or kernel_fault.
  virtual std::optional<Fault> last_fault() const { return std::nullopt; }

  /// A time stamp in the device's queue; differences are microseconds.
  virtual double stamp_us() = 0;

  /// Seeds the order in which blocks and threads run, 0 for the natural one. Devices that cannot
  /// choose ignore it.
  virtual void schedule(std::uint64_t seed) = 0;

  /// For code that was instrumented (CompileRequest::exact): from now on every access is judged by
  /// these tensors, until the next call; other memory may not be touched. Other code and devices
  /// ignore it.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): devices that see accesses keep them.
  virtual void watch(std::vector<WatchedTensor> /*tensors*/) {}
  /// Accesses of instrumented code that would end a launch with one of these are let pass, until
  /// the next call: a self-test switches a check off to see what else finds a bug.
  virtual void overlook(const std::set<Status>& /*kinds*/) {}
  /// Of watched tensors; empty where nothing was watched.
  virtual std::vector<UnwrittenRange> unwritten() const { return {}; }
  /// For instrumented code: between on and off, launches add to the traffic and accesses are not
  /// judged. Turning it on forgets what was traced before.
  virtual void trace(bool /*on*/) {}
  virtual TracedTraffic traced() const { return {}; }
  /// A fault has made this device useless for the rest of the process.
  virtual bool lost() const { return false; }
};

/// "host" or "simulated", also with "-w64" or "-w32", or a GPU (choose_gpu()). Throws UserError
/// with what there is. `lines` finds the source lines that its messages name; without it the device
/// starts addr2line by itself.
std::unique_ptr<Device> open_device(std::string_view name, std::shared_ptr<LineFinder> lines = {});

/// The target of a device that is known without opening it; a GPU is not. Throws UserError.
Target target_of_device(std::string_view name);

}  // namespace fusetune

#pragma once
// Something that runs code objects of its target. Small on purpose: host, hip and simulated
// implement all of it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
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

/// One launch of a list that is recorded.
struct QueuedLaunch {
  const LoadedCode* code = nullptr;
  KernelLaunch launch;
};

/// A list of launches that is enqueued as one. The code must stay loaded as long.
class LaunchGraph {
 public:
  virtual ~LaunchGraph() = default;
};

/// What a device's queue can do. A measurement leaves out what it cannot.
struct QueueTraits {
  /// launch() returns before the kernel has run: a queue can be filled ahead, and the clock of this
  /// machine is a second one beside the device's.
  bool asynchronous = false;
  bool graphs = false;                   ///< record() and replay() may succeed
  std::int64_t graph_launches_max = 64;  ///< longer graphs have failed on some runtimes
  /// With so many on their way launch() may wait for room: where a kernel hangs, for ever.
  std::int64_t launches_ahead_max = 512;
};

/// A timed span on its way through the queue. Devices whose launches are done when launch() returns
/// need no more than their stamps.
struct SpanTicket {
  std::int64_t id = 0;
  double begin_us = 0, end_us = 0;
};

struct SpanTime {
  double us = 0;        ///< between both ends, by the device's clock
  double core_mhz = 0;  ///< of the compute units meanwhile; 0 where the device cannot tell
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
  /// Waits for all work of the device, whichever queue it is in: what left the queue that is timed
  /// shows in the time of this machine alone.
  virtual Outcome synchronize_all() { return synchronize(); }
  /// Of the last launch that failed with out_of_bounds, misaligned or kernel_fault.
  virtual std::optional<Fault> last_fault() const { return std::nullopt; }

  /// A time stamp in the device's queue; differences are microseconds. Waits for what was enqueued
  /// before it.
  virtual double stamp_us() = 0;

  virtual QueueTraits queue() const { return {}; }
  /// Both enqueue one end of a timed span and wait for nothing: what is enqueued between them is
  /// timed. A span may begin before the one before it was read.
  virtual SpanTicket begin_span();
  virtual void end_span(SpanTicket& span);
  /// Waits until the queue has passed the span's end, and for nothing behind it. Each ticket is
  /// read once.
  virtual Outcome read_span(const SpanTicket& span, SpanTime* time);
  /// The launches as one that replay() enqueues; nothing and an outcome where that is not possible.
  virtual std::unique_ptr<LaunchGraph> record(std::span<const QueuedLaunch> launches,
                                              Outcome* outcome);
  virtual Outcome replay(const LaunchGraph& graph);
  /// A launch beside the queue, as a kernel on another stream: synchronize(), spans and graphs know
  /// nothing of it. A self-test shows with it that this is noticed.
  virtual Outcome launch_beside(const LoadedCode& code, const KernelLaunch& launch);
  /// Enqueues a copy within the device's memory.
  virtual void copy_within(DevicePointer destination, DevicePointer source, std::size_t size_bytes);
  /// Memory that allocate() could still give; nothing where the device cannot tell.
  virtual std::optional<std::int64_t> free_bytes() { return std::nullopt; }
  /// Who else uses the device, one line each; nothing where it cannot tell.
  virtual std::optional<std::vector<std::string>> other_users() { return std::nullopt; }

  /// This machine's clock, which a simulated device has of its own; differences are microseconds.
  virtual double host_us();
  /// Does nothing for so long, by host_us().
  virtual void rest(double us);

  /// Seeds the order in which blocks and threads run, 0 for the natural one. Devices that cannot
  /// choose ignore it.
  virtual void schedule(std::uint64_t seed) = 0;

  /// Before any code is loaded: what is timed from now on is the session of this number. Only a
  /// simulated device needs to be told, whose sessions of the same code would be the same.
  virtual void begin_session(std::uint64_t /*number*/) {}

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

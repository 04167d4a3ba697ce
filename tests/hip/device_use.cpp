#include "device_use.hpp"

#include <array>
#include <filesystem>
#include <new>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/base/temporary_folder.hpp"
#include "harness/device/device_error.hpp"
#include "harness/device/hip/gpus.hpp"

namespace fusetune::test {

namespace {

/// What ends a use.
struct Ended {};

class Buffer {
 public:
  Buffer(Device& device, std::size_t size_bytes)
      : device_(device), pointer_(device.allocate(size_bytes, Place::high)) {}
  ~Buffer() { device_.release(pointer_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  DevicePointer pointer() const { return pointer_; }

 private:
  Device& device_;
  DevicePointer pointer_;
};

class User {
 public:
  explicit User(DeviceUse& use) : use_(use) {}

  /// The step's result, when it has one.
  template <typename Step>
  auto step(const std::string& name, Step run) {
    try {
      return run();
    } catch (const std::bad_alloc&) {
      tell(name, {Status::out_of_memory, "std::bad_alloc"});
    } catch (const DeviceError& error) {
      tell(name, {error.status(), error.what()});
    } catch (const UserError& error) {
      tell(name, {Status::ok, error.what()});
    } catch (const std::runtime_error& error) {
      tell(name, {Status::ok, error.what()});
    }
    throw Ended();
  }

  void outcome(const std::string& name, const std::function<Outcome()>& run) {
    const Outcome outcome = step(name, run);
    if (outcome.ok()) return;
    tell(name, outcome);
    throw Ended();
  }

  void tell(const std::string& name, const Outcome& outcome) {
    use_.told.push_back({name, outcome.status, outcome.message});
  }

 private:
  DeviceUse& use_;
};

KernelLaunch toy_launch(DevicePointer pointer) {
  KernelLaunch launch;
  launch.entry = "toy_kernel";
  launch.grid = {4, 1, 1};
  launch.block = {64, 1, 1};
  launch.arguments = {pointer, std::int64_t{64}};
  return launch;
}

void time_launches(User& user, Device& device, const LoadedCode& code, const KernelLaunch& launch) {
  user.step("stamp", [&] { return device.stamp_us(); });
  user.step("second stamp", [&] { return device.stamp_us(); });
  SpanTicket span = user.step("begin span", [&] { return device.begin_span(); });
  user.outcome("timed launch", [&] { return device.launch(code, launch); });
  user.step("end span", [&] {
    device.end_span(span);
    return true;
  });
  SpanTime time;
  user.outcome("read span", [&] { return device.read_span(span, &time); });
  if (time.us <= 0) user.tell("read span", {Status::ok, "a span without time"});
}

void replay_launches(User& user, Device& device, const LoadedCode& code,
                     const KernelLaunch& launch) {
  const std::array<QueuedLaunch, 2> list = {QueuedLaunch{&code, launch},
                                            QueuedLaunch{&code, launch}};
  std::unique_ptr<LaunchGraph> graph;
  user.outcome("record", [&] {
    Outcome outcome;
    graph = device.record(list, &outcome);
    return outcome;
  });
  user.outcome("replay", [&] { return device.replay(*graph); });
  user.outcome("wait for the replay", [&] { return device.synchronize(); });
}

void use_once(User& user, Device& device, const std::string& code_path) {
  const std::size_t size = 1000;
  std::vector<char> bytes(size, 'x'), back(size);
  const auto buffer = user.step("allocate", [&] { return std::make_unique<Buffer>(device, size); });
  const auto copy = user.step("allocate", [&] { return std::make_unique<Buffer>(device, size); });
  user.step("copy to", [&] {
    device.copy_to(buffer->pointer(), bytes.data(), size);
    return true;
  });
  std::unique_ptr<LoadedCode> code;
  user.outcome("load", [&] {
    Outcome outcome;
    code = device.load(code_path, &outcome);
    return outcome;
  });
  const KernelLaunch launch = toy_launch(buffer->pointer());
  user.outcome("launch", [&] { return device.launch(*code, launch); });
  user.outcome("synchronize", [&] { return device.synchronize(); });
  user.step("copy within", [&] {
    device.copy_within(copy->pointer(), buffer->pointer(), size);
    return true;
  });
  user.step("copy from", [&] {
    device.copy_from(back.data(), copy->pointer(), size);
    return true;
  });
  if (back != bytes) user.tell("copy from", {Status::ok, "other bytes came back"});
  user.step("free memory", [&] { return device.free_bytes(); });
  time_launches(user, device, *code, launch);
  replay_launches(user, device, *code, launch);
}

}  // namespace

std::unique_ptr<Device> make_device(const Gpu& gpu) {
  return std::make_unique<hip::HipDevice>(gpu);
}

DeviceUse use_device(const MakeDevice& make) {
  // Written once: this runs hundreds of times.
  static const TemporaryFolder folder("fusetune");
  static const std::string code_path = (folder / "code").string();
  if (!std::filesystem::exists(code_path))
    write_file_atomic(code_path, std::string("toy_kernel\0", 11));
  DeviceUse use;
  User user(use);
  std::unique_ptr<Device> device;
  try {
    const std::vector<Gpu> gpus = user.step("find GPUs", [] { return hip::gpus(); });
    device = user.step("open", [&] { return make(gpus.front()); });
  } catch (const Ended&) {
    return use;
  }
  use.opened = true;
  for (int i = 0; i < 2; ++i) {
    try {
      use_once(user, *device, code_path);
    } catch (const Ended&) {
      // The next use shows what the failure left behind.
    }
  }
  use.lost = device->lost();
  return use;
}

}  // namespace fusetune::test

#pragma once
// The device memory of a case: one buffer per tensor, each between two guards whose bytes betray
// every stray write. Placement and base alignment are as unkind as the geometry allows.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/device/device.hpp"
#include "harness/spec/geometry.hpp"
#include "harness/verify/images.hpp"

namespace fusetune {

/// An allocation that is released with its owner.
class DeviceMemory {
 public:
  /// Throws std::bad_alloc.
  DeviceMemory(Device& device, std::size_t size_bytes, Place place);
  ~DeviceMemory();
  DeviceMemory(DeviceMemory&& other) noexcept;
  DeviceMemory& operator=(DeviceMemory&&) = delete;

  DevicePointer pointer() const { return pointer_; }

 private:
  Device* device_;
  DevicePointer pointer_;
};

/// Between an image and the rows of a tensor that lies at `data`.
void copy_to_device(Device& device, DevicePointer data, const TensorImage& image);
void copy_from_device(Device& device, DevicePointer data, TensorImage& image);

/// One tensor in device memory: [front guard | rows with padding | back guard].
struct Buffer {
  const TensorDecl* tensor = nullptr;
  std::size_t ordinal = 0;  ///< in ABI order
  TensorShape shape;
  std::size_t front_bytes = 0, data_bytes = 0, back_bytes = 0;
  DevicePointer data = 0;
  std::string over;          ///< the input whose memory this output shares; it has no guards then
  bool overwritten = false;  ///< an output shares this input's memory

  DevicePointer begin() const { return data - front_bytes; }
  DevicePointer end() const { return data + data_bytes + back_bytes; }
};

/// What both guards of a buffer hold: never bytes of a poison, different from place to place and
/// from tensor to tensor.
std::vector<std::byte> guard_of(const Buffer& buffer, bool past_end);

/// Changed guard bytes on one side of a tensor, counted away from its data: [first, last].
struct Breach {
  std::string tensor;
  bool past_end = false;
  std::size_t first_byte = 0, last_byte = 0;
};

/// Output -> the input in whose memory it lies.
using Aliases = std::map<std::string, std::string>;

class Arena {
 public:
  /// Allocates every tensor of the case, in an order drawn from `seed`, and writes the guards. The
  /// side that faces an unmapped page (the front for Place::low) has a guard only as long as the
  /// alignment needs; base addresses are aligned to the class of the geometry and, below 16 bytes,
  /// to no more than that. Outputs with an alias lie as their input does, which must have their
  /// shape. Throws std::bad_alloc.
  Arena(Device& device, const Case& which, Place place, std::uint64_t seed,
        const Aliases& aliases = {});
  virtual ~Arena() = default;
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = delete;

  /// In ABI order.
  const std::vector<Buffer>& buffers() const { return buffers_; }
  /// Throws std::out_of_range naming the tensor.
  const Buffer& buffer(std::string_view tensor) const;

  /// Copies images to the device; tensors without an image, or in another's memory, are left alone.
  void write(const TensorImages& images);
  /// As write, for inout and state tensors alone: before every further run.
  void restore(const TensorImages& images);
  /// The content of one tensor, row padding included.
  TensorImage read(const Buffer& buffer) const;

  void write_guards();
  /// Both guards of every buffer; adds the number of bytes compared.
  std::vector<Breach> check_guards(std::int64_t* compared_bytes) const;

  /// A device address in words: "2 bytes past the end of z"; "" when no tensor is near.
  std::string locate(DevicePointer address) const;

  std::size_t size_bytes() const;

  /// What a device that sees every access needs to know of the tensors.
  std::vector<WatchedTensor> watched() const;

 private:
  void allocate(Device& device, Place place, std::uint64_t seed);

  Device* device_;
  std::shared_ptr<const Family> family_;  ///< keeps the declarations that buffers point at
  std::vector<DeviceMemory> memory_;
  std::vector<Buffer> buffers_;
};

}  // namespace fusetune

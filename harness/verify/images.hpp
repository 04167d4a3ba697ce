#pragma once
// What the tensors of a case hold, on the host: rows with their padding, as they lie on the device.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/spec/geometry.hpp"
#include "harness/verify/image_bytes.hpp"

namespace fusetune {

/// Two patterns for everything that is no input: what nobody wrote differs between passes of `a`
/// (quiet NaNs) and passes of `b` (large finite numbers), so neither can pass for a result.
enum class Poison { a, b };

/// At most so much of a gap between two rows is kept, poisoned and checked: rows that lie gigabytes
/// apart must not cost gigabytes.
constexpr std::int64_t kGapBytesMax = 4096;

/// The data of one tensor: its rows, each followed by the beginning of the gap to the next. The
/// padding of the last row is no part of it: it may be unmapped.
struct TensorImage {
  TensorShape shape;
  ImageBytes bytes;

  TensorImage() = default;
  explicit TensorImage(const TensorShape& tensor_shape);

  std::int64_t element_bytes() const { return size_bytes(shape.dtype); }
  std::int64_t row_bytes() const { return shape.row_elements * element_bytes(); }
  /// From row to row in `bytes`, and on the device.
  std::int64_t stride_bytes() const;
  std::int64_t device_stride_bytes() const { return shape.row_stride * element_bytes(); }
  /// Rows that hold at least one element.
  std::int64_t filled_rows() const { return bytes.empty() ? 0 : shape.rows(); }
  /// Bytes between the rows, as far as they are kept.
  std::int64_t padding_bytes() const;
  /// Where element `index` lies, padding not counted in the index.
  std::size_t offset_of(std::int64_t index) const;
  const std::byte* element(std::int64_t index) const { return bytes.data() + offset_of(index); }
};

using TensorImages = std::map<std::string, TensorImage, std::less<>>;

/// Element `index`: its bits in the low bytes, and as a number.
std::uint64_t bits_at(const TensorImage& image, std::int64_t index);
double value_at(const TensorImage& image, std::int64_t index);

/// The bytes that poison consists of in what a kernel writes.
std::byte poison_byte(Poison poison);

/// The bytes between rows: another pattern, different for each tensor, so that a kernel that reads
/// padding and passes it on is told from one that writes nothing. `offset` counts from the start
/// of the tensor's data, `ordinal` numbers the tensors.
std::byte padding_byte(Poison poison, std::size_t ordinal, std::size_t offset);

void fill_elements(TensorImage& image, Poison poison);
void fill_padding(TensorImage& image, Poison poison, std::size_t ordinal);

/// Images of all tensors of a case, poison everywhere.
TensorImages poisoned_images(const Case& which, Poison poison);

/// The tensor is filled before the launches: in, inout and state.
bool is_filled(Role role);
/// The launches write it and it is compared: out, inout and state.
bool is_result(Role role);

}  // namespace fusetune

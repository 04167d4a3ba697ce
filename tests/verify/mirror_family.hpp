#pragma once
// A small family for tests: y holds the rows of x mirrored, and the second half of the rows of
// `acc` becomes zero in place. Both x and y may have padded rows.

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "harness/verify/proof.hpp"
#include "reference/reference.hpp"
#include "tests/verify/fake_device.hpp"

namespace fusetune::test {

inline TensorDecl tensor_decl(const std::string& name, Role role, bool strided) {
  const SymbolTable symbols{{"rows", {}}, {"width", {}}};
  TensorDecl tensor;
  tensor.name = name;
  tensor.role = role;
  tensor.dtype = "act";
  tensor.shape = {Expr::parse("rows", symbols), Expr::parse("width", symbols)};
  tensor.runtime_row_stride = strided;
  tensor.align_bytes = {16, 8, 4, 2};
  return tensor;
}

inline std::shared_ptr<Family> mirror_family() {
  auto family = std::make_shared<Family>();
  family->name = "mirror";
  family->file = "tests/verify/mirror/family.yaml";
  family->rows = "rows";
  SymbolDecl rows, width;
  rows.name = "rows";
  width.name = "width";
  width.is_static = true;
  family->symbols = {rows, width};
  family->dtypes = {{"act", {DType::bf16, DType::fp32, DType::u8, DType::i64}, "", {}}};
  family->tensors = {tensor_decl("x", Role::in, true), tensor_decl("y", Role::out, true),
                     tensor_decl("acc", Role::inout, false),
                     tensor_decl("scratch", Role::workspace, false)};
  family->reference = "mirror";
  return family;
}

struct MirrorShape {
  std::int64_t rows = 6, width = 5, padding = 3, align_bytes = 2;
  DType dtype = DType::bf16;
};

inline Case mirror_case(const MirrorShape& shape = {}) {
  Case which;
  which.geometry.family = mirror_family();
  which.geometry.statics = {{"width", shape.width}};
  which.geometry.dtypes = {{"act", shape.dtype}};
  for (const char* name : {"x", "y", "acc", "scratch"})
    which.geometry.align_bytes[name] = shape.align_bytes;
  which.runtime = {{"rows", shape.rows}};
  which.row_strides = {{"x", shape.width + shape.padding}, {"y", shape.width + shape.padding}};
  return which;
}

/// What a kernel of the family sees.
struct MirrorArguments {
  std::byte *x, *y, *acc, *scratch;
  std::int64_t x_stride, y_stride, rows;
  std::int64_t width, element_bytes;
  std::uint64_t schedule;

  void copy(std::byte* to, std::int64_t to_index, const std::byte* from,
            std::int64_t from_index) const {
    std::memcpy(to + to_index * element_bytes, from + from_index * element_bytes,
                static_cast<std::size_t>(element_bytes));
  }
  void fill(std::byte* to, std::int64_t index, int byte) const {
    std::memset(to + index * element_bytes, byte, static_cast<std::size_t>(element_bytes));
  }
  void mirror_row(std::int64_t row) const {
    for (std::int64_t i = 0; i < width; ++i)
      copy(y, row * y_stride + i, x, row * x_stride + width - 1 - i);
  }
  void zero_tail() const {
    for (std::int64_t i = rows / 2 * width; i < rows * width; ++i) fill(acc, i, 0);
  }
  /// The correct kernel.
  void run() const {
    for (std::int64_t i = 0; i < rows * width; ++i) fill(scratch, i, 0x11);
    for (std::int64_t row = 0; row < rows; ++row) mirror_row(row);
    zero_tail();
  }
};
using MirrorKernel = std::function<void(const MirrorArguments&)>;

inline const reference::Reference& mirror_reference() {
  static const reference::Reference mirror{
      [](const reference::Problem& p) {
        const auto &x = p.tensor("x"), &y = p.tensor("y"), &acc = p.tensor("acc");
        const std::int64_t width = p.symbol("width"), rows = p.symbol("rows");
        const auto bytes = static_cast<std::size_t>(x.element_bytes);
        for (std::int64_t e = 0; e < rows * width; ++e) {
          const std::int64_t row = e / width, column = e % width;
          std::memcpy(y.data + (row * y.row_stride + column) * x.element_bytes,
                      x.data + (row * x.row_stride + width - 1 - column) * x.element_bytes, bytes);
          if (row >= rows / 2) std::memset(acc.data + e * x.element_bytes, 0, bytes);
        }
      },
      [](const reference::Problem& p, const std::string& tensor, std::int64_t index) {
        const std::int64_t width = p.symbol("width");
        const std::int64_t column = index % width;
        // y is named by the element of x that it holds.
        return (tensor == "y" ? "x" : tensor) + " of row " + std::to_string(index / width) +
               ", column " + std::to_string(tensor == "y" ? width - 1 - column : column);
      }};
  return mirror;
}

/// A case with a kernel, ready to prove.
struct MirrorProof {
  FakeDevice device;
  Case which;
  FakeDevice::Code code;
  RunnableVariant variant;

  explicit MirrorProof(MirrorKernel kernel, const MirrorShape& shape = {})
      : which(mirror_case(shape)) {
    using Kind = Argument::Kind;
    code.kernels["mirror"] = [shape, kernel = std::move(kernel)](const KernelLaunch& launch,
                                                                 std::uint64_t schedule) {
      const auto pointer = [&](std::size_t i) {
        return reinterpret_cast<std::byte*>(std::get<DevicePointer>(launch.arguments.at(i)));
      };
      const auto number = [&](std::size_t i) {
        return std::get<std::int64_t>(launch.arguments.at(i));
      };
      kernel({pointer(0), pointer(2), pointer(4), pointer(5), number(1), number(3), number(6),
              shape.width, size_bytes(shape.dtype), schedule});
      return Outcome{};
    };
    variant.code = &code;
    variant.launches = {{.entry = "mirror",
                         .arguments = {{Kind::tensor, "x"},
                                       {Kind::row_stride, "x"},
                                       {Kind::tensor, "y"},
                                       {Kind::row_stride, "y"},
                                       {Kind::tensor, "acc"},
                                       {Kind::tensor, "scratch"},
                                       {Kind::symbol, "rows"}}}};
  }
};

}  // namespace fusetune::test

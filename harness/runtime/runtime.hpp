#pragma once
// For libraries that use a generated header: compiles the kernels that its rows name, launches them
// and keeps what really went to the device, to be compared with the row. Needs the standard library
// alone. docs/header.md has an example; examples/consumer is a whole one.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fusetune::runtime {

/// What every function here throws: words for a person.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What a row of a generated header says of its code.
struct Code {
  std::string geometry, variant;  ///< keys
  std::string source_hash, code_identity;
  std::vector<std::pair<std::string, std::string>> defines;
};
template <class Row>
Code code_of(const Row& row) {
  Code code{std::string(row.geometry),
            std::string(row.variant),
            std::string(row.source_hash),
            std::string(row.code_identity),
            {}};
  for (std::size_t i = 0; i < row.define_count; ++i)
    code.defines.emplace_back(std::string(row.defines[i].name), std::string(row.defines[i].value));
  return code;
}

/// One launch, as a header computes it or as a device got it.
struct Launch {
  std::string entry;
  std::array<std::int64_t, 3> grid{1, 1, 1}, block{1, 1, 1};
  std::int64_t lds_bytes = 0;
  std::string code_identity;  ///< of the code that the entry is in

  friend bool operator==(const Launch& a, const Launch& b) {
    return a.entry == b.entry && a.grid == b.grid && a.block == b.block &&
           a.lds_bytes == b.lds_bytes && a.code_identity == b.code_identity;
  }
  friend bool operator!=(const Launch& a, const Launch& b) { return !(a == b); }
};
template <class HeaderLaunch, class Row>
Launch launch_of(const HeaderLaunch& launch, const Row& row) {
  return {std::string(launch.entry),
          {launch.grid.x, launch.grid.y, launch.grid.z},
          {launch.block.x, launch.block.y, launch.block.z},
          launch.lds_bytes,
          std::string(row.code_identity)};
}

/// "copy_qkv: grid 16 x 1 x 1, block 256 x 1 x 1, 0 bytes of LDS, code 1f0c..."
std::string to_string(const Launch& launch);

/// What the launches that a device got have that the expected ones do not, in words; empty: they
/// are the same, in the same order.
std::vector<std::string> differences(const std::vector<Launch>& expected,
                                     const std::vector<Launch>& seen);

/// Values of a kernel's arguments by their names in family.yaml. Which of them an entry takes, and
/// in which order, the family says.
struct Arguments {
  struct Tensor {
    void* pointer = nullptr;      ///< of Device::allocate, or any of the device's memory
    std::int64_t row_stride = 0;  ///< elements; used where it is an argument
  };
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::int64_t> symbols;  ///< of run time: "tokens"
  std::map<std::string, double> scalars;        ///< those left out have the family's default
};

/// The code of one row, compiled and loaded. Must not outlive its device.
class Kernel {
 public:
  ~Kernel();
  Kernel(Kernel&&) noexcept;
  Kernel& operator=(Kernel&&) noexcept;
  /// Of the bytes that were loaded.
  const std::string& code_identity() const;
  /// Of the texts that it was compiled from here.
  const std::string& source_hash() const;
  /// Why this is not the code that the row was measured with; empty: it is.
  const std::vector<std::string>& strangeness() const;

 private:
  friend class Device;
  struct Impl;
  explicit Kernel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A device with its compiler, in this process.
class Device {
 public:
  /// "host-w64", "host-w32" or "hip:N".
  static Device open(std::string_view name);
  ~Device();
  Device(Device&&) noexcept;
  Device& operator=(Device&&) noexcept;

  const std::string& name() const;          ///< as tables name it
  const std::string& architecture() const;  ///< of Query: "gfx942"
  std::int64_t cu_count() const;
  std::int64_t lds_bytes_max() const;
  std::int64_t block_threads_max() const;

  void* allocate(std::size_t size_bytes);
  void release(void* pointer);
  void copy_to(void* destination, const void* source, std::size_t size_bytes);
  void copy_from(void* destination, const void* source, std::size_t size_bytes);

  /// Compiles and loads what a row names; asked again for the same code, it loads what it compiled.
  /// That the code is another than the row's is no error: strangeness() says so, as another
  /// compiler makes other code of one source. Throws Error.
  Kernel prepare(const Code& code);
  /// From now on prepare() throws where it would have to compile: nothing is to be compiled while
  /// requests wait.
  void forbid_compilation();
  /// Compilations so far, by the compiler's own count.
  std::int64_t compilations() const;

  /// Enqueues one launch of `what.entry`; its code_identity is not used. Throws Error.
  void launch(const Kernel& kernel, const Launch& what, const Arguments& arguments);
  /// Waits for all; throws Error where a kernel failed.
  void synchronize();

  /// The launches that went to the device since the last call: entry, grid, block and LDS as the
  /// driver got them, and the identity of the code that was loaded under them.
  std::vector<Launch> take_seen();

 private:
  struct Impl;
  explicit Device(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fusetune::runtime

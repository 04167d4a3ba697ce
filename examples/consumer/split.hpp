#pragma once
// One call of the operation as a library has it: buffers on a device, inputs with known bytes, and
// results that are compared with a plain loop.

#include <cstdint>
#include <string>
#include <vector>

#include "fusetune/runtime.hpp"

/// Of the contiguous layout: a row of qkvz is [q | k | v | z], a row of ba is [b | a].
struct Shape {
  std::int64_t tokens = 1, nk = 2, nv = 6, head = 128;

  std::int64_t qkv_width() const { return (2 * nk + nv) * head; }
  std::int64_t z_width() const { return nv * head; }
  std::int64_t qkvz_width() const { return qkv_width() + z_width(); }
};

class Split {
 public:
  Split(fusetune::runtime::Device& device, const Shape& shape);
  ~Split();
  Split(const Split&) = delete;
  Split& operator=(const Split&) = delete;

  const fusetune::runtime::Arguments& arguments() const { return arguments_; }
  /// Fills results with a pattern that no input has.
  void poison();
  /// Empty, or the first element of each result that is not what the inputs say.
  std::vector<std::string> wrong_results() const;

 private:
  /// A buffer of rows of 16-bit elements.
  struct Buffer {
    std::string name;
    std::int64_t width = 0;
    void* memory = nullptr;
    std::vector<std::uint16_t> expected;
  };
  void add(const std::string& name, std::int64_t width, std::vector<std::uint16_t> content,
           bool is_input);

  fusetune::runtime::Device& device_;
  Shape shape_;
  std::vector<Buffer> results_;
  std::vector<void*> memory_;
  fusetune::runtime::Arguments arguments_;
};

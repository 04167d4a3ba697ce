#pragma once
// Problems made of rows of numbers, for references without the harness around them.

#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "reference/numbers.hpp"
#include "reference/reference.hpp"

namespace fusetune::reference::testing {

inline std::int64_t bytes_of(const std::string& dtype) {
  if (dtype == "i64") return 8;
  if (dtype == "fp32" || dtype == "i32") return 4;
  return dtype == "bf16" || dtype == "fp16" ? 2 : 1;
}

/// A Problem that owns its tensors. Rows have one element of padding.
class Rows {
 public:
  Rows() = default;
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  Problem& problem() { return problem_; }

  void output(const std::string& name, const std::string& dtype,
              const std::vector<std::int64_t>& dims) {
    Tensor& tensor = problem_.tensors[name];
    tensor.dtype = dtype;
    tensor.dims = dims;
    tensor.element_bytes = bytes_of(dtype);
    std::int64_t width = 1;
    for (std::size_t d = 1; d < dims.size(); ++d) width *= dims[d];
    tensor.row_stride = dims.size() == 1 ? 1 : width + 1;
    storage_.emplace_back(
        static_cast<std::size_t>(dims[0] * tensor.row_stride * tensor.element_bytes),
        std::byte{0x5a});
    tensor.data = storage_.back().data();
    problem_.truths[name] = &truths_[name];
  }

  void input(const std::string& name, const std::string& dtype,
             const std::vector<std::int64_t>& dims, const std::vector<double>& values) {
    output(name, dtype, dims);
    const Tensor& tensor = problem_.tensors[name];
    const std::int64_t rows = dims[0];
    const auto width = static_cast<std::int64_t>(values.size()) / rows;
    write(tensor, Eigen::Map<const Matrix>(values.data(), rows, width));
  }

  /// Positions, slots: "i64" or "i32".
  void indices(const std::string& name, const std::string& dtype,
               const std::vector<std::int64_t>& dims, const std::vector<std::int64_t>& values) {
    output(name, dtype, dims);
    const Tensor& tensor = problem_.tensors[name];
    const std::int64_t width = dims.size() == 1 ? 1 : dims[1];
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(values.size()); ++i)
      std::memcpy(tensor.data + (i / width * tensor.row_stride + i % width) * tensor.element_bytes,
                  &values[static_cast<std::size_t>(i)],
                  static_cast<std::size_t>(tensor.element_bytes));
  }

  /// What the tensor holds, row after row.
  std::vector<double> values(const std::string& name) const {
    const Matrix matrix = read(problem_.tensors.at(name));
    return {matrix.data(), matrix.data() + matrix.size()};
  }
  const Truth& truth(const std::string& name) const { return truths_.at(name); }

  void compute(const char* reference) { find(reference)->compute(problem_); }

 private:
  Problem problem_;
  std::map<std::string, Truth> truths_;
  std::deque<std::vector<std::byte>> storage_;
};

}  // namespace fusetune::reference::testing

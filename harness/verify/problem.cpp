#include "harness/verify/problem.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>
#include <stdexcept>

#include "harness/base/hash.hpp"

namespace fusetune {

namespace {

/// `row_stride` in elements, as the data lies on the host.
reference::Tensor tensor_of(const TensorShape& shape, std::int64_t row_stride, std::byte* data) {
  return {.data = data,
          .element_bytes = size_bytes(shape.dtype),
          .dtype = std::string(to_string(shape.dtype)),
          .dims = shape.dims,
          .row_stride = row_stride};
}

void add_bindings(const Bindings& bindings, reference::Problem& problem) {
  for (const auto& [name, value] : bindings) {
    if (const auto* number = std::get_if<std::int64_t>(&value))
      problem.symbols[name] = *number;
    else if (const auto* word = std::get_if<Enum>(&value))
      problem.options[name] = word->name;
  }
}

reference::Problem problem_without_tensors(const Case& which) {
  reference::Problem problem;
  add_bindings(which.geometry.statics, problem);
  add_bindings(which.runtime, problem);
  for (const ScalarDecl& scalar : which.geometry.family->scalars)
    problem.scalars[scalar.name] = which.scalar(scalar.name);
  return problem;
}

std::uint64_t hash_inputs(const Case& which, const TensorImages& initial) {
  std::uint64_t hash = 0;
  for (const TensorDecl* tensor : tensors_of(which.geometry)) {
    const TensorImage& image = initial.at(tensor->name);
    if (tensor->role == Role::in) hash = hash64(image.bytes.data(), image.bytes.size(), hash);
  }
  return hash;
}

std::string position(const TensorShape& shape, std::int64_t index) {
  std::vector<std::int64_t> places(shape.dims.size());
  for (std::size_t i = places.size(); i-- > 0; index /= std::max<std::int64_t>(1, shape.dims[i]))
    places[i] = index % std::max<std::int64_t>(1, shape.dims[i]);
  return fmt::format("[{}]", fmt::join(places, ", "));
}

}  // namespace

reference::Problem make_problem(const Case& which, const TensorImages& inputs,
                                TensorImages& results) {
  reference::Problem problem = problem_without_tensors(which);
  for (const TensorDecl* tensor : tensors_of(which.geometry)) {
    if (tensor->role == Role::workspace) continue;
    const bool result = is_result(tensor->role);
    const TensorImage& image = (result ? results : inputs).at(tensor->name);
    std::byte* data = result ? results.at(tensor->name).bytes.data()
                             : const_cast<std::byte*>(image.bytes.data());
    problem.tensors[tensor->name] =
        tensor_of(image.shape, image.stride_bytes() / image.element_bytes(), data);
  }
  return problem;
}

TensorImages expected_results(const Case& which, const reference::Reference& reference,
                              const TensorImages& initial, Poison poison,
                              std::map<std::string, reference::Truth>* truths) {
  TensorImages results;
  for (const TensorDecl* tensor : tensors_of(which.geometry)) {
    if (!is_result(tensor->role)) continue;
    TensorImage& result = results[tensor->name] = initial.at(tensor->name);
    // Not the device's poison: what neither of them writes must not compare equal.
    if (tensor->role == Role::out)
      std::fill(result.bytes.begin(), result.bytes.end(), ~poison_byte(poison) ^ std::byte{0x33});
  }
  const std::uint64_t hash_before = hash_inputs(which, initial);
  try {
    reference::Problem problem = make_problem(which, initial, results);
    if (truths != nullptr)
      for (const TensorDecl* tensor : tensors_of(which.geometry))
        if (is_result(tensor->role) && !tensor->accept.exact)
          problem.truths[tensor->name] = &(*truths)[tensor->name];
    reference.compute(problem);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    throw std::runtime_error(fmt::format("the reference failed: {}", error.what()));
  }
  if (hash_inputs(which, initial) != hash_before)
    throw std::runtime_error("the reference changed an input");
  return results;
}

std::string describe(const Case& which, const reference::Reference* reference,
                     const std::string& tensor, std::int64_t index) {
  reference::Problem problem = problem_without_tensors(which);
  TensorShape shape;
  for (const TensorDecl* declared : tensors_of(which.geometry)) {
    const TensorShape of_declared = shape_of(which, *declared);
    problem.tensors[declared->name] = tensor_of(of_declared, of_declared.row_stride, nullptr);
    if (declared->name == tensor) shape = of_declared;
  }
  try {
    if (reference != nullptr && reference->describe)
      return reference->describe(problem, tensor, index);
  } catch (const std::exception&) {
    // A message must not fail for want of words.
  }
  return tensor + position(shape, index);
}

}  // namespace fusetune

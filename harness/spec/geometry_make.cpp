#include <fmt/format.h>

#include <numeric>

#include "harness/spec/geometry_parts.hpp"

namespace fusetune {

namespace {

constexpr std::int64_t kWidestAccessBytes = 16;

[[noreturn]] void fail(const CaseRequest& request, const std::string& message) {
  throw UserError(request.mark, request.family->name + ": " + message);
}

std::vector<std::string> tensor_names(const Family& family, bool with_stride_only) {
  std::vector<std::string> names;
  for (const TensorDecl& tensor : family.tensors)
    if (!with_stride_only || tensor.runtime_row_stride) names.push_back(tensor.name);
  return names;
}

/// The tensors named in a request: declared, there, and with a runtime stride where one is given.
void check_tensor_names(const CaseRequest& request, const StaticPart& part) {
  const Family& family = *request.family;
  for (const auto& [name, stride] : request.row_strides) {
    const TensorDecl* tensor = family.find_tensor(name);
    if (tensor == nullptr || !tensor->runtime_row_stride)
      fail(request,
           unknown_name("tensor with a runtime row stride", name, tensor_names(family, true)));
    if (!part.has(name)) fail(request, fmt::format("there is no tensor '{}' here", name));
  }
  for (const auto& [name, bytes] : request.base_align_bytes) {
    const TensorDecl* tensor = family.find_tensor(name);
    if (tensor == nullptr) fail(request, unknown_name("tensor", name, tensor_names(family, false)));
    if (!part.has(name)) fail(request, fmt::format("there is no tensor '{}' here", name));
    const std::int64_t element = size_bytes(part.geometry.dtypes.at(tensor->dtype));
    if (bytes < 1 || (bytes & (bytes - 1)) != 0 || bytes % element != 0)
      fail(request, fmt::format("base alignment of {}: {} bytes is no power of two that is a "
                                "multiple of its elements' {} bytes",
                                name, bytes, element));
  }
}

void place_tensor(const CaseRequest& request, const TensorDecl& tensor, const Scope& scope,
                  Case& which) {
  if (tensor.runtime_row_stride) {
    const auto given = request.row_strides.find(tensor.name);
    if (given != request.row_strides.end()) which.row_strides[tensor.name] = given->second;
  }
  const TensorShape shape = shape_in(which, tensor, scope);
  if (tensor.runtime_row_stride) which.row_strides[tensor.name] = shape.row_stride;
  const auto base = request.base_align_bytes.find(tensor.name);
  const std::int64_t base_bytes =
      base == request.base_align_bytes.end() ? kWidestAccessBytes : base->second;
  const std::int64_t row_bytes = shape.row_stride * size_bytes(shape.dtype);
  const auto align = alignment_class(tensor, base_bytes,
                                     has_rows(tensor) ? std::optional(row_bytes) : std::nullopt);
  if (!align)
    fail(request, fmt::format("{}: a base of {} bytes and rows of {} bytes fit no alignment class "
                              "that the family allows (smallest: {})",
                              tensor.name, base_bytes, row_bytes, tensor.align_bytes.back()));
  which.geometry.align_bytes[tensor.name] = *align;
}

}  // namespace

bool has_rows(const TensorDecl& tensor) {
  return tensor.shape.size() > 1 || tensor.runtime_row_stride;
}

std::optional<std::int64_t> alignment_class(const TensorDecl& tensor, std::int64_t base_bytes,
                                            std::optional<std::int64_t> row_bytes) {
  std::int64_t align = std::gcd(kWidestAccessBytes, base_bytes);
  if (row_bytes) align = std::gcd(align, *row_bytes);
  for (const std::int64_t allowed : tensor.align_bytes)
    if (allowed <= align) return allowed;
  return std::nullopt;
}

std::optional<std::int64_t> static_row_elements(const TensorDecl& tensor, const Scope& scope) {
  std::int64_t elements = 1;
  for (std::size_t i = 1; i < tensor.shape.size(); ++i) {
    for (const std::string& name : tensor.shape[i].names())
      if (scope.values.count(name) == 0) return std::nullopt;
    elements = checked_multiply(elements, tensor.shape[i].eval_int(scope.values), tensor.name);
  }
  return elements;
}

std::optional<std::int64_t> dense_alignment(const Geometry& geometry, const TensorDecl& tensor,
                                            const Scope& scope) {
  std::optional<std::int64_t> row_bytes;
  if (has_rows(tensor))
    if (const auto elements = static_row_elements(tensor, scope))
      row_bytes =
          checked_multiply(*elements, size_bytes(geometry.dtypes.at(tensor.dtype)), tensor.name);
  return alignment_class(tensor, kWidestAccessBytes, row_bytes);
}

TensorShape shape_in(const Case& which, const TensorDecl& tensor, const Scope& scope) {
  TensorShape shape;
  shape.dtype = which.geometry.dtypes.at(tensor.dtype);
  for (const Expr& dim : tensor.shape) {
    shape.dims.push_back(dim.eval_int(scope.values));
    if (shape.dims.back() < 0)
      throw EvalError(fmt::format("{}: dimension {} = {} is negative", tensor.name, dim.text(),
                                  shape.dims.back()));
  }
  for (std::size_t i = 1; i < shape.dims.size(); ++i)
    shape.row_elements = checked_multiply(shape.row_elements, shape.dims[i], tensor.name);
  shape.row_stride = shape.row_elements;
  if (const auto given = which.row_strides.find(tensor.name); given != which.row_strides.end())
    shape.row_stride = given->second;
  if (shape.row_stride < shape.row_elements)
    throw EvalError(fmt::format("{}: a row stride of {} elements is below the row's {}",
                                tensor.name, shape.row_stride, shape.row_elements));
  // Everything that consumers multiply stays below 2^63 if this does.
  const std::int64_t rows = std::max<std::int64_t>(shape.rows(), 1);
  checked_multiply(checked_multiply(rows, std::max<std::int64_t>(shape.row_stride, 1), tensor.name),
                   size_bytes(shape.dtype), tensor.name);
  return shape;
}

Case make_case(const CaseRequest& request) {
  const StaticPart part = make_static_part(request);
  check_tensor_names(request, part);
  Case which;
  which.geometry = part.geometry;
  which.runtime = complete_runtime(part, request.runtime, request.mark);
  which.scalars = complete_scalars(request);
  try {
    Scope scope = part.scope;
    for (const auto& [name, value] : which.runtime) scope.values[name] = value;
    add_derived(*request.family, scope);
    for (const TensorDecl* tensor : part.tensors) place_tensor(request, *tensor, scope, which);
    require_supported(*request.family,
                      scope_parts(which.geometry, nullptr, nullptr, &which, nullptr), request.mark);
    scope_of(which.geometry, nullptr, nullptr, &which);
  } catch (const EvalError& error) {
    fail(request, error.what());
  }
  return which;
}

}  // namespace fusetune

#include "harness/spec/geometry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/spec/geometry_parts.hpp"

namespace fusetune {

namespace {

using KeyParts = std::map<std::string, std::string>;

std::string join_key(const std::string& name, const KeyParts& parts) {
  std::vector<std::string> pairs;
  for (const auto& [key, value] : parts) pairs.push_back(key + "=" + value);
  return fmt::format("{}({})", name, fmt::join(pairs, ","));
}

KeyParts geometry_parts(const Geometry& geometry, const Scope& scope) {
  KeyParts parts;
  for (const auto& [name, value] : geometry.statics) parts[name] = to_string(value);
  for (const auto& [name, dtype] : geometry.dtypes) parts[name] = to_string(dtype);
  for (const TensorDecl* tensor : tensors_of(geometry)) {
    const std::int64_t align = geometry.align_bytes.at(tensor->name);
    if (dense_alignment(geometry, *tensor, scope) != align)
      parts["align_" + tensor->name] = std::to_string(align);
  }
  return parts;
}

bool is_default(const SymbolDecl& symbol, const Value& value, const Scope& scope) {
  if (!symbol.default_value) return false;
  Bindings others = scope.values;
  others.erase(symbol.name);
  try {
    return symbol.default_value->eval(others) == value;
  } catch (const EvalError&) {
    return false;
  }
}

}  // namespace

bool Geometry::has(std::string_view tensor) const {
  return align_bytes.find(std::string(tensor)) != align_bytes.end();
}

std::string Geometry::key() const {
  return join_key(family->name,
                  geometry_parts(*this, scope_parts(*this, nullptr, nullptr, nullptr, nullptr)));
}

std::string Case::key() const {
  const Scope scope = scope_parts(geometry, nullptr, nullptr, this, nullptr);
  // Without the runtime symbols, so that the geometry's part reads as in its own key.
  KeyParts parts =
      geometry_parts(geometry, scope_parts(geometry, nullptr, nullptr, nullptr, nullptr));
  for (const auto& [name, value] : runtime) {
    const SymbolDecl& symbol = *geometry.family->find_symbol(name);
    if (name == geometry.family->rows || !is_default(symbol, value, scope))
      parts[name] = to_string(value);
  }
  for (const ScalarDecl& scalar : geometry.family->scalars)
    if (const auto given = scalars.find(scalar.name);
        given != scalars.end() && given->second != scalar.default_value)
      parts[scalar.name] = scalar_text(scalar, given->second);
  for (const TensorDecl* tensor : tensors_of(geometry)) {
    const TensorShape shape = shape_in(*this, *tensor, scope);
    if (shape.row_stride != shape.row_elements)
      parts["stride_" + tensor->name] = std::to_string(shape.row_stride);
    // A class below what base and stride would give came from a weaker base.
    const std::int64_t align = geometry.align_bytes.at(tensor->name);
    const std::int64_t row_bytes = shape.row_stride * size_bytes(shape.dtype);
    if (alignment_class(*tensor, 16, has_rows(*tensor) ? std::optional(row_bytes) : std::nullopt) !=
        align)
      parts["align_" + tensor->name] = std::to_string(align);
  }
  return join_key(geometry.family->name, parts);
}

std::int64_t Case::rows() const {
  return std::get<std::int64_t>(runtime.at(geometry.family->rows));
}

std::string Variant::key(const Family& family) const {
  Bindings parts = axes;
  if (implementation != family.tuned || axes.empty())
    parts["implementation"] = Enum{implementation};
  return to_string(parts);
}

std::vector<const TensorDecl*> tensors_of(const Geometry& geometry) {
  std::vector<const TensorDecl*> tensors;
  for (const TensorDecl& tensor : geometry.family->tensors)
    if (geometry.has(tensor.name)) tensors.push_back(&tensor);
  return tensors;
}

std::int64_t TensorShape::span_bytes() const {
  if (elements() == 0) return 0;
  return ((rows() - 1) * row_stride + row_elements) * size_bytes(dtype);
}

TensorShape shape_of(const Case& which, const TensorDecl& tensor) {
  return shape_in(which, tensor, case_scope(which.geometry, which.runtime));
}

std::int64_t tensor_bytes(const Case& which) {
  const Scope shapes = case_scope(which.geometry, which.runtime);
  std::int64_t bytes = 0;
  for (const TensorDecl* tensor : tensors_of(which.geometry))
    bytes = checked_add(bytes, shape_in(which, *tensor, shapes).span_bytes(), "bytes of tensors");
  return bytes;
}

namespace {

std::int64_t touched_bytes(const std::optional<Expr>& declared, bool whole,
                           const TensorShape& shape, const Bindings& scope,
                           const TensorDecl& tensor) {
  if (!declared)
    return whole ? checked_multiply(shape.elements(), size_bytes(shape.dtype), tensor.name) : 0;
  const std::int64_t bytes = declared->eval_int(scope);
  if (bytes < 0)
    throw EvalError(fmt::format("{}: {} = {} bytes touched", tensor.name, declared->text(), bytes));
  return bytes;
}

}  // namespace

Traffic traffic_of(const Case& which) {
  const Bindings scope = scope_of(which.geometry, nullptr, nullptr, &which);
  const Scope shapes = case_scope(which.geometry, which.runtime);
  Traffic traffic;
  for (const TensorDecl* tensor : tensors_of(which.geometry)) {
    const TensorShape shape = shape_in(which, *tensor, shapes);
    const bool both = tensor->role == Role::inout || tensor->role == Role::state;
    const bool read = tensor->role == Role::in || both;
    const bool written = tensor->role == Role::out || both;
    traffic.read_bytes = checked_add(
        traffic.read_bytes, touched_bytes(tensor->touched_read_bytes, read, shape, scope, *tensor),
        "bytes read");
    traffic.write_bytes =
        checked_add(traffic.write_bytes,
                    touched_bytes(tensor->touched_write_bytes, written, shape, scope, *tensor),
                    "bytes written");
  }
  return traffic;
}

}  // namespace fusetune

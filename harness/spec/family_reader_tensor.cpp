#include <fmt/format.h>

#include <algorithm>

#include "harness/spec/family_reader.hpp"
#include "harness/spec/keys.hpp"

namespace fusetune {

namespace {

Role parse_role(const YamlNode& node) {
  const std::string name = node.as_one_of({"in", "out", "inout", "state", "workspace"}, "role");
  for (const Role role : {Role::in, Role::out, Role::inout, Role::state})
    if (to_string(role) == name) return role;
  return Role::workspace;
}

std::vector<std::int64_t> parse_align_bytes(const YamlNode& node) {
  std::vector<std::int64_t> classes;
  for (const YamlNode& item : node.items()) {
    const std::int64_t bytes = item.as_int();
    if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8 && bytes != 16)
      item.fail("an alignment class is 16, 8, 4, 2 or 1 bytes");
    if (!classes.empty() && bytes >= classes.back()) item.fail("list the largest class first");
    classes.push_back(bytes);
  }
  if (classes.empty()) node.fail("list at least one alignment class");
  return classes;
}

bool is_read(Role role) { return role == Role::in || role == Role::inout || role == Role::state; }

bool is_written(Role role) {
  return role == Role::out || role == Role::inout || role == Role::state;
}

/// Why `tensor` cannot lie where `input` lies; "" when it can.
std::string alias_fault(const TensorDecl& tensor, const TensorDecl& input) {
  if (input.role != Role::in)
    return fmt::format("has the role {}; only an input can be overwritten in place",
                       to_string(input.role));
  if (input.dtype != tensor.dtype)
    return fmt::format("has the dtype {}, not {}", input.dtype, tensor.dtype);
  if (!(input.shape == tensor.shape)) return "has another shape";
  return "";
}

}  // namespace

void FamilyReader::declare_tensors() {
  const auto section = root_.at("tensors").entries();
  std::vector<std::string> dtypes;
  for (const DTypeDecl& dtype : family_.dtypes) dtypes.push_back(dtype.name);
  for (const auto& [key, node] : section) {
    require_identifier(key, "a tensor");
    node.allow_keys(family_keys().at("tensor"), "key of a tensor");
    TensorDecl tensor;
    tensor.name = key.as_string();
    tensor.mark = key.mark();
    const auto [other, added] = arguments_.emplace(tensor.name, "a tensor");
    if (!added) key.fail(fmt::format("'{}' is {} already", tensor.name, other->second));
    tensor.dtype = node.at("dtype").as_one_of(dtypes, "dtype");
    family_.tensors.push_back(std::move(tensor));
  }
  if (family_.tensors.empty()) root_.at("tensors").fail("a family needs at least one tensor");
}

void FamilyReader::read_tensor(TensorDecl& tensor, const YamlNode& node) {
  tensor.role = parse_role(node.at("role"));
  if (const auto stride = node.find("row_stride"))
    tensor.runtime_row_stride = stride->as_one_of({"dense", "runtime"}, "row stride") == "runtime";
  const auto dims = node.at("shape").items();
  if (dims.empty()) node.at("shape").fail("a shape has at least one dimension");
  for (std::size_t i = 0; i < dims.size(); ++i) {
    // Strides are compiled in unless they are arguments, so no inner dimension may vary.
    const bool may_vary = i == 0 || (i == 1 && tensor.runtime_row_stride);
    tensor.shape.push_back(
        names_.parse_int(dims[i], may_vary ? reach::of_shape | reach::runtime : reach::of_shape,
                         may_vary ? "a dimension" : "a dimension that gives a static stride"));
  }
  tensor.align_bytes = {16, 8, 4, 2, 1};
  if (const auto align = node.find("align_bytes")) tensor.align_bytes = parse_align_bytes(*align);
  if (const auto when = node.find("when"))
    tensor.when = names_.parse_bool(*when, reach::geometry, "a tensor's condition");
  if (const auto generator = node.find("generator")) {
    if (!is_read(tensor.role)) generator->fail("only a tensor that is read has a generator");
    read_generator(tensor, *generator);
  }
  if (const auto accept = node.find("accept")) {
    if (!is_written(tensor.role))
      accept->fail("only a tensor that is written is accepted by a rule");
    read_accept(tensor, *accept);
  }
  if (const auto bytes = node.find("touched_read"))
    tensor.touched_read_bytes = names_.parse_int(*bytes, reach::of_case, "bytes touched");
  if (const auto bytes = node.find("touched_write"))
    tensor.touched_write_bytes = names_.parse_int(*bytes, reach::of_case, "bytes touched");
}

void FamilyReader::check_tensors() {
  const YamlNode section = root_.at("tensors");
  for (TensorDecl& tensor : family_.tensors) {
    const YamlNode node = section.at(tensor.name);
    if (const auto aliases = node.find("may_alias")) read_aliases(tensor, *aliases);
    if (!tensor.accept.code || tensor.accept.code->scale.empty()) continue;
    const TensorDecl& scale = *family_.find_tensor(tensor.accept.code->scale);
    if (scale.name == tensor.name || scale.role == Role::workspace)
      node.at("accept").at("code").at("scale").fail(
          fmt::format("'{}' cannot hold the scales of '{}'", scale.name, tensor.name));
  }
}

void FamilyReader::read_aliases(TensorDecl& tensor, const YamlNode& node) {
  if (tensor.role != Role::out) node.fail("only an output may share the memory of an input");
  std::vector<std::string> names;
  for (const TensorDecl& other : family_.tensors) names.push_back(other.name);
  for (const YamlNode& item : node.items()) {
    const std::string name = item.as_one_of(names, "tensor");
    const auto& list = tensor.may_alias;
    if (std::find(list.begin(), list.end(), name) != list.end()) item.fail("listed twice");
    const std::string fault = alias_fault(tensor, *family_.find_tensor(name));
    if (!fault.empty()) item.fail(fmt::format("'{}' {}", name, fault));
    tensor.may_alias.push_back(name);
  }
}

void FamilyReader::read_proof_calls() {
  const bool has_state =
      std::any_of(family_.tensors.begin(), family_.tensors.end(),
                  [](const TensorDecl& tensor) { return tensor.role == Role::state; });
  family_.proof_calls = has_state ? 2 : 1;
  const auto node = root_.find("proof_calls");
  if (!node) return;
  family_.proof_calls = node->as_int();
  if (family_.proof_calls < 1) node->fail("a proof makes at least one call");
  if (has_state && family_.proof_calls < 2)
    node->fail("a family with state is proved over at least 2 calls");
}

}  // namespace fusetune

// T1: what is to be tuned, as other autotuners read it. The space and the launch of the tuned
// implementation, with the geometry's numbers filled in.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include "harness/export/export_format.hpp"
#include "harness/export/export_text.hpp"
#include "harness/table/row_case.hpp"

namespace fusetune {

namespace {

constexpr std::int64_t kT1Version = 1;

/// Expressions of the family with everything filled in that is known of a row but its axes.
class FilledIn {
 public:
  FilledIn(const Table& table, const Case& which)
      : bindings_(scope_of(which.geometry, &table.target, nullptr, &which, &table.facts)) {
    // A derived symbol whose own condition fails here stays a name; nothing that applies uses it.
    for (const auto& [name, expr] : which.geometry.family->derived)
      if (bindings_.count(name) == 0)
        derived_.insert_or_assign(name, expr.substitute(derived_).substitute(bindings_));
  }
  Expr operator()(const Expr& expr) const {
    return expr.substitute(derived_).substitute(bindings_);
  }

 private:
  Bindings bindings_;
  std::map<std::string, Expr> derived_;
};

std::string python_value(const Value& value) {
  if (std::holds_alternative<Enum>(value)) return "'" + to_string(value) + "'";
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "True" : "False";
  return to_string(value);
}

Json parameters_json(const Family& family, const std::set<std::string>& axes) {
  Json list = Json::array();
  for (const AxisDecl& axis : family.axes) {
    if (axes.count(axis.name) == 0) continue;
    std::vector<std::string> values;
    for (const Value& value : axis.values) values.push_back(python_value(value));
    const bool words = std::holds_alternative<Enum>(axis.values.front());
    list.push_back({{"Name", axis.name},
                    {"Type", words ? "string" : "int"},
                    {"Values", fmt::format("[{}]", fmt::join(values, ", "))},
                    {"Default", value_json(axis.values.front())}});
  }
  return list;
}

/// Constraints over axes that the implementation has; others say nothing about it.
Json conditions_json(const Family& family, const std::set<std::string>& axes,
                     const FilledIn& filled_in) {
  Json list = Json::array();
  for (const RuleDecl& rule : family.constraints) {
    const Expr closed = filled_in(rule.rule);
    const std::set<std::string>& names = closed.names();
    if (names.empty() || !std::includes(axes.begin(), axes.end(), names.begin(), names.end()))
      continue;
    list.push_back({{"Parameters", names},
                    {"Expression", closed.python()},
                    {"x_fusetune", {{"reason", rule.reason}}}});
  }
  return list;
}

Json size_json(const std::vector<Expr>& dims, const FilledIn& filled_in) {
  Json size{{"X", "1"}, {"Y", "1"}, {"Z", "1"}};
  const char* const names[] = {"X", "Y", "Z"};
  for (std::size_t i = 0; i < dims.size(); ++i) size[names[i]] = filled_in(dims[i]).python();
  return size;
}

const char* t1_type(DType dtype) {
  switch (dtype) {
    case DType::fp16:
      return "half";
    case DType::fp32:
      return "float";
    case DType::i32:
      return "int32";
    case DType::i64:
      return "int64";
    case DType::u8:
      return "uint8";
    default:
      return "custom";  // it has no bf16 and no fp8
  }
}

const char* access_of(Role role) {
  if (role == Role::in) return "ReadOnly";
  return role == Role::out ? "WriteOnly" : "ReadWrite";
}

Json argument_json(const Case& which, const Argument& argument) {
  const Family& family = *which.geometry.family;
  const auto scalar = [](const std::string& name, const char* type, double value) -> Json {
    return {{"Name", name},           {"Type", type},       {"MemoryType", "Scalar"},
            {"FillType", "Constant"}, {"FillValue", value}, {"AccessType", "ReadOnly"}};
  };
  switch (argument.kind) {
    case Argument::Kind::tensor: {
      const TensorDecl& tensor = *family.find_tensor(argument.name);
      const TensorShape shape = shape_of(which, tensor);
      return {{"Name", argument.name},
              {"Type", t1_type(shape.dtype)},
              {"TypeSize", size_bytes(shape.dtype)},
              {"Size", shape.span_bytes() / size_bytes(shape.dtype)},
              {"FillType", "Random"},
              {"RandomSeed", 1},
              {"AccessType", access_of(tensor.role)},
              {"MemoryType", "Vector"},
              {"x_fusetune", {{"dtype", std::string(to_string(shape.dtype))}}}};
    }
    case Argument::Kind::row_stride:
      return scalar(argument.name + "_row_stride", "int64",
                    static_cast<double>(which.row_strides.at(argument.name)));
    case Argument::Kind::symbol:
      return scalar(argument.name, "int64",
                    static_cast<double>(std::get<std::int64_t>(which.runtime.at(argument.name))));
    case Argument::Kind::scalar:
      break;
  }
  for (const ScalarDecl& decl : family.scalars)
    if (decl.name == argument.name)
      return scalar(argument.name,
                    decl.type == ScalarDecl::Type::f32   ? "float"
                    : decl.type == ScalarDecl::Type::i32 ? "int32"
                                                         : "int64",
                    which.scalar(argument.name));
  throw std::logic_error("an argument that no family has: " + argument.name);
}

Json input_of(const Table& table, const Case& which) {
  const Family& family = *table.family;
  const ImplementationDecl& tuned = *family.find_implementation(family.tuned);
  const LaunchDecl& launch = tuned.launches.front();
  const FilledIn filled_in(table, which);
  const std::set<std::string> axes(tuned.axes.begin(), tuned.axes.end());
  Json arguments = Json::array();
  for (const Argument& argument : arguments_of(which.geometry, launch))
    arguments.push_back(argument_json(which, argument));
  return {{"General",
           {{"FormatVersion", kT1Version}, {"TimeUnit", "Milliseconds"}, {"OutputFormat", "JSON"}}},
          {"ConfigurationSpace",
           {{"TuningParameters", parameters_json(family, axes)},
            {"Conditions", conditions_json(family, axes, filled_in)}}},
          {"KernelSpecification",
           {{"Language", "CUDA"},  // the format has no HIP
            {"KernelName", launch.entry},
            {"KernelFile", tuned.source.filename().string()},
            {"GlobalSizeType", "CUDA"},
            {"GlobalSize", size_json(launch.grid, filled_in)},
            {"LocalSize", size_json(launch.block, filled_in)},
            {"Device", {{"Name", table.device}}},
            {"Arguments", std::move(arguments)}}},
          {"x_fusetune",
           {{"language", "HIP"},
            {"case", which.key()},
            {"target", table.target.name},
            {"lds_bytes", filled_in(launch.lds_bytes).python()},
            {"proof", "fusetune verify"}}}};
}

}  // namespace

Export to_t1(const std::vector<Table>& tables) {
  Export out;
  for (const Table& table : tables) {
    const Family& family = *table.family;
    const ImplementationDecl& tuned = *family.find_implementation(family.tuned);
    if (tuned.launches.size() != 1) {
      out.left_out.push_back(fmt::format("{} on {}: T1 has one launch, and {} has {}", family.name,
                                         table.device, tuned.name, tuned.launches.size()));
      continue;
    }
    for (const TableRow& row : table.rows) {
      const Case which = case_of(row.geometry, row.tuned_at);
      out.files.push_back({file_stem(which.key() + "-" + table.device) + ".t1-input.json",
                           json_text(input_of(table, which))});
      ++out.entries;
    }
  }
  return out;
}

}  // namespace fusetune

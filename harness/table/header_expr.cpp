#include <fmt/format.h>

#include <set>

#include "harness/table/header_parts.hpp"

namespace fusetune {

ExpressionWriter::ExpressionWriter(const HeaderNames& names) : names_(&names) {
  for (const auto& [name, expr] : names.family().derived)
    derived_.insert_or_assign(name, expr.substitute(derived_));
}

Expr ExpressionWriter::closed(const Expr& expr) const { return expr.substitute(derived_); }

/// Where a name of an expression comes from, with the letter of the parameter: query, axes, facts.
std::string ExpressionWriter::source(const std::string& name) const {
  const Family& family = names_->family();
  const std::size_t open = name.find('(');
  if (open != std::string::npos) {
    const std::string property = name.substr(0, open);
    const std::string of = name.substr(open + 1, name.size() - open - 2);
    if (property == "bytes") return "size_of(from_query." + names_->field("dtype " + of) + ")";
    if (property == "has") return "has_" + cpp_identifier(of) + "(from_query)";
    if (property == "row_stride" && !family.find_tensor(of)->runtime_row_stride)
      return row_elements_function(*family.find_tensor(of)) + "(from_query)";
    return "from_query." + names_->field(name);
  }
  if (name == "WAVE_SIZE") return "from_facts.wave_size";
  if (name == "CU_COUNT") return "from_facts.cu_count";
  if (name == "LDS_BYTES_MAX") return "from_facts.lds_bytes_max";
  if (name == "BLOCK_THREADS_MAX") return "from_facts.block_threads_max";
  if (family.find_axis(name) != nullptr) return "from_axes." + names_->axis(name);
  return "from_query." + names_->field(name);
}

std::string ExpressionWriter::function(const std::string& name, const Expr& expr,
                                       bool of_launch) const {
  const Expr whole = closed(expr);
  std::string locals;
  for (const std::string& used : whole.names()) {
    locals += fmt::format("  const auto {} = {};\n", cpp_identifier(used), source(used));
  }
  const auto parameter = [&](const char* type, const char* word) {
    const bool used = locals.find(word) != std::string::npos;
    return fmt::format("const {}&{}{}", type, used ? " " : "", used ? word : "");
  };
  std::string parameters = parameter("Query", "from_query");
  if (of_launch)
    parameters += ", " + parameter("Axes", "from_axes") + ", " + parameter("Facts", "from_facts");
  return fmt::format("constexpr {} {}({}) {{\n{}  return {};\n}}\n",
                     whole.type() == Type::boolean ? "bool" : "std::int64_t", name, parameters,
                     locals, whole.cpp("fusetune_expr::"));
}

}  // namespace fusetune

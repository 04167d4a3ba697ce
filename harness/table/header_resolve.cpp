// From what a caller says to the key of a geometry, as the harness does it for a case: options
// without meaning fall to their default, runtime symbols and strides are filled in, alignment
// becomes a class.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <stdexcept>

#include "harness/table/header_parts.hpp"

namespace fusetune {

namespace {

class ResolveWriter {
 public:
  ResolveWriter(const HeaderNames& names, const ExpressionWriter& writer)
      : names_(names), family_(names.family()), writer_(writer) {}

  std::string write() {
    write_conditions();
    write_row_elements();
    write_words();
    write_sizes();
    write_rules();
    write_keys();
    return functions_ + out_;
  }

 private:
  /// Adds a function for the expression and returns the call of it on `query`.
  std::string call(const std::string& name, const Expr& expr) {
    functions_ += writer_.function(name, expr, false);
    return name + "(query)";
  }

  void write_conditions() {
    for (const TensorDecl& tensor : family_.tensors)
      call("has_" + cpp_identifier(tensor.name),
           tensor.when ? *tensor.when : Expr::parse("true", {}));
  }

  void write_row_elements() {
    for (const TensorDecl& tensor : family_.tensors) {
      std::vector<std::string> factors{"std::int64_t{1}"};
      const std::string name = row_elements_function(tensor);
      for (std::size_t i = 1; i < tensor.shape.size(); ++i)
        factors.push_back(call(fmt::format("{}_{}", name, i), tensor.shape[i]));
      functions_ +=
          fmt::format("constexpr std::int64_t {}(const Query&{}) {{ return {}; }}\n", name,
                      factors.size() > 1 ? " query" : "", fmt::join(factors, " * "));
    }
  }

  void write_words() {
    out_ += "constexpr Query resolve_words(Query query) {\n";
    for (const DTypeDecl& dtype : family_.dtypes) {
      if (dtype.same_as.empty()) continue;
      const std::string& field = names_.field("dtype " + dtype.name);
      out_ += fmt::format("  if (query.{0} == DType::automatic) query.{0} = query.{1};\n", field,
                          names_.field("dtype " + dtype.same_as));
    }
    for (const OptionDecl& option : family_.options) {
      if (!option.when) continue;
      const std::string when = call("means_" + cpp_identifier(option.name), *option.when);
      out_ += fmt::format("  if (!{}) query.{} = words::{}::{};\n", when, names_.field(option.name),
                          cpp_identifier(option.name), cpp_identifier(option.values.front()));
    }
    fill_defaults(true);
    out_ += "  return query;\n}\n";
  }

  /// Symbols whose default follows from others, each after those that it uses.
  void fill_defaults(bool statics) {
    std::set<std::string> open;
    for (const SymbolDecl& symbol : family_.symbols) {
      const bool follows = symbol.default_value && !symbol.default_value->names().empty();
      if (symbol.is_static == statics && follows) open.insert(symbol.name);
    }
    while (!open.empty()) {
      const std::size_t before = open.size();
      for (const SymbolDecl& symbol : family_.symbols) {
        if (open.count(symbol.name) == 0 || waits_for(*symbol.default_value, open)) continue;
        open.erase(symbol.name);
        const std::string value =
            call("default_" + cpp_identifier(symbol.name), *symbol.default_value);
        out_ += fmt::format("  if (query.{0} == automatic) query.{0} = {1};\n",
                            names_.field(symbol.name), value);
      }
      if (open.size() == before)
        throw std::logic_error("the defaults of symbols need each other: " + *open.begin());
    }
  }

  bool waits_for(const Expr& expr, const std::set<std::string>& open) const {
    for (const std::string& name : writer_.names_in(expr)) {
      if (open.count(name) != 0) return true;
    }
    return false;
  }

  void write_sizes() {
    out_ += "constexpr Query resolve_sizes(Query query) {\n";
    for (const SymbolDecl& symbol : family_.symbols) {
      if (symbol.is_static || !symbol.when) continue;
      const std::string there = call("has_symbol_" + cpp_identifier(symbol.name), *symbol.when);
      out_ += fmt::format("  if (!{}) query.{} = 0;\n", there, names_.field(symbol.name));
    }
    fill_defaults(false);
    for (const TensorDecl& tensor : family_.tensors) write_place(tensor);
    out_ += "  return query;\n}\n";
  }

  void write_place(const TensorDecl& tensor) {
    const std::string align = names_.field("align_bytes(" + tensor.name + ")");
    std::string stride = row_elements_function(tensor) + "(query)";
    const std::string has = "has_" + cpp_identifier(tensor.name) + "(query)";
    out_ += fmt::format("  if ({}) {{\n", has);
    if (tensor.runtime_row_stride) {
      const std::string field = "query." + names_.field("row_stride(" + tensor.name + ")");
      out_ += fmt::format("    if ({0} == automatic) {0} = {1};\n", field, stride);
      stride = field;
    }
    std::vector<std::string> classes;
    for (const std::int64_t bytes : tensor.align_bytes) classes.push_back(std::to_string(bytes));
    const bool rows = tensor.shape.size() > 1 || tensor.runtime_row_stride;
    out_ += fmt::format(
        "    query.{0} = alignment_class({{{1}}}, query.{0}, {2});\n", align,
        fmt::join(classes, ", "),
        rows ? fmt::format("{} * size_of(query.{})", stride, names_.field("dtype " + tensor.dtype))
             : "0");
    // An absent tensor restricts nothing.
    out_ += fmt::format("  }} else {{\n    query.{} = 16;\n  }}\n", align);
  }

  /// A rule says nothing where a symbol or stride that it uses is not there.
  std::string applies(const Expr& rule) const {
    std::string text;
    for (const std::string& name : writer_.names_in(rule)) {
      const SymbolDecl* symbol = family_.find_symbol(name);
      if (symbol != nullptr && !symbol->is_static && symbol->when)
        text += fmt::format("has_symbol_{}(query) && ", cpp_identifier(name));
      if (name.rfind("row_stride(", 0) == 0)
        text += fmt::format("has_{}(query) && ", cpp_identifier(name.substr(11, name.size() - 12)));
    }
    return text;
  }

  bool needs_sizes(const Expr& rule) const {
    for (const std::string& name : writer_.names_in(rule)) {
      const SymbolDecl* symbol = family_.find_symbol(name);
      if (symbol != nullptr && !symbol->is_static) return true;
      if (name.rfind("row_stride(", 0) == 0 || name.rfind("align_bytes(", 0) == 0) return true;
    }
    return false;
  }

  void write_rules() {
    std::string early, late;
    for (std::size_t i = 0; i < family_.supports.size(); ++i) {
      const Expr& rule = family_.supports[i].rule;
      const std::string holds = call(fmt::format("rule_{}", i), rule);
      (needs_sizes(rule) ? late : early) +=
          fmt::format("  if ({}!{}) return false;\n", applies(rule), holds);
    }
    out_ += "// Rules are tried in order: a later one may divide by what an earlier one checks.\n";
    out_ +=
        fmt::format("constexpr bool supports_words(const Query&{}) {{\n{}{}  return true;\n}}\n",
                    dtype_checks().empty() && early.empty() ? "" : " query", dtype_checks(), early);
    out_ += "constexpr bool supports_sizes(const Query& query) {\n";
    out_ += fmt::format("  if (query.{} < 0) return false;\n", names_.field(family_.rows));
    for (const TensorDecl& tensor : family_.tensors) {
      out_ += fmt::format("  if (query.{} == 0) return false;\n",
                          names_.field("align_bytes(" + tensor.name + ")"));
      if (!tensor.runtime_row_stride) continue;
      out_ +=
          fmt::format("  if (has_{}(query) && query.{} < {}(query)) return false;\n",
                      cpp_identifier(tensor.name), names_.field("row_stride(" + tensor.name + ")"),
                      row_elements_function(tensor));
    }
    out_ += late + "  return true;\n}\n";
  }

  std::string dtype_checks() const {
    std::string out;
    for (const DTypeDecl& dtype : family_.dtypes) {
      std::vector<std::string> tests;
      for (const DType value : dtype.values)
        tests.push_back(fmt::format("query.{} != DType::{}", names_.field("dtype " + dtype.name),
                                    to_string(value)));
      out += fmt::format("  if ({}) return false;\n", fmt::join(tests, " && "));
    }
    return out;
  }

  void write_keys() {
    const auto& parts = names_.key_parts();
    out_ += fmt::format("\nstruct Key {{\n  std::int64_t parts[{}];\n}};\n\n", parts.size());
    out_ += "constexpr Key key_of(const Query& query) {\n  return {{\n";
    for (const KeyPart& part : parts) {
      const std::string field = "query." + part.field;
      const bool is_enum = part.kind == KeyPart::Kind::option || part.kind == KeyPart::Kind::dtype;
      if (part.kind == KeyPart::Kind::alignment)
        out_ += fmt::format("      has_{}(query) ? {} : 0,\n", cpp_identifier(part.name), field);
      else
        out_ += is_enum ? fmt::format("      static_cast<std::int64_t>({}),\n", field)
                        : fmt::format("      {},\n", field);
    }
    out_ += "  }};\n}\n";
    write_query_of();
  }

  /// A query that has the key: for the checks of the table itself.
  void write_query_of() {
    out_ += "constexpr Query query_of(const Key& key, std::int64_t rows) {\n  Query query;\n";
    out_ += "  query.architecture = table_architecture;\n  query.device = table_device;\n";
    const auto& parts = names_.key_parts();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const KeyPart& part = parts[i];
      std::string type;
      if (part.kind == KeyPart::Kind::option) type = "words::" + cpp_identifier(part.name);
      if (part.kind == KeyPart::Kind::dtype) type = "DType";
      const std::string value = fmt::format("key.parts[{}]", i);
      out_ += fmt::format("  query.{} = {};\n", part.field,
                          type.empty() ? value : fmt::format("static_cast<{}>({})", type, value));
    }
    out_ += fmt::format("  query.{} = rows;\n", names_.field(family_.rows));
    for (const TensorDecl& tensor : family_.tensors) {
      if (!tensor.runtime_row_stride) continue;
      // Rows may be better aligned than dense ones: padded, then.
      out_ += fmt::format(
          "  if (has_{0}(query))\n    query.{1} = padded({2}(query), query.{3}, "
          "size_of(query.{4}));\n",
          cpp_identifier(tensor.name), names_.field("row_stride(" + tensor.name + ")"),
          row_elements_function(tensor), names_.field("align_bytes(" + tensor.name + ")"),
          names_.field("dtype " + tensor.dtype));
    }
    out_ += "  return query;\n}\n";
  }

  const HeaderNames& names_;
  const Family& family_;
  const ExpressionWriter& writer_;
  std::string functions_, out_;
};

constexpr const char* kAlignment = R"(
/// The first class, largest first, that a base and rows of these bytes have; 0 when none fits.
template <std::size_t count>
constexpr std::int64_t alignment_class(const std::int64_t (&classes)[count],
                                       std::int64_t base_bytes, std::int64_t row_bytes) {
  const std::int64_t align = fusetune_expr::gcd(fusetune_expr::gcd(16, base_bytes), row_bytes);
  for (std::size_t i = 0; i < count; ++i) {
    if (classes[i] <= align) return classes[i];
  }
  return 0;
}

/// The shortest row of at least these elements whose bytes are a multiple of the alignment.
constexpr std::int64_t padded(std::int64_t elements, std::int64_t align_bytes,
                              std::int64_t element_bytes) {
  return fusetune_expr::align_up(elements, align_bytes > element_bytes ? align_bytes / element_bytes
                                                                       : 1);
}

)";

}  // namespace

std::string header_resolve(const HeaderNames& names, const ExpressionWriter& writer) {
  return kAlignment + ResolveWriter(names, writer).write() +
         "constexpr Query resolve(const Query& query) { return "
         "resolve_sizes(resolve_words(query)); }\n";
}

}  // namespace fusetune

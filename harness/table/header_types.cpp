// What a caller of the header sees: words, Query, Row.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/table/header_parts.hpp"

namespace fusetune {

namespace {

std::string enumeration(const std::string& name, const std::vector<std::string>& values) {
  std::vector<std::string> identifiers;
  for (const std::string& value : values) identifiers.push_back(cpp_identifier(value));
  return fmt::format("enum class {} : std::int64_t {{ {} }};\n", cpp_identifier(name),
                     fmt::join(identifiers, ", "));
}

void add_field(std::string& out, const std::string& type, const std::string& name,
               const std::string& value, const std::string& note) {
  out += fmt::format("  {} {} = {};{}{}\n", type, name, value, note.empty() ? "" : "  // ", note);
}

std::string symbol_value(const SymbolDecl& symbol) {
  if (!symbol.default_value) return "0";
  if (!symbol.default_value->names().empty()) return "automatic";
  return std::to_string(symbol.default_value->eval_int({}));
}

void add_tensor_fields(std::string& out, const HeaderNames& names, const TensorDecl& tensor) {
  add_field(out, "std::int64_t", names.field("align_bytes(" + tensor.name + ")"), "16",
            "alignment of its first element");
  if (tensor.runtime_row_stride)
    add_field(out, "std::int64_t", names.field("row_stride(" + tensor.name + ")"), "automatic",
              "elements; automatic: dense rows");
}

}  // namespace

std::string header_enums(const HeaderNames& names) {
  const Family& family = names.family();
  std::string out = "// The words that options and axes take.\nnamespace words {\n";
  for (const OptionDecl& option : family.options) out += enumeration(option.name, option.values);
  for (const AxisDecl& axis : family.axes) {
    if (!is_enumerated(axis)) continue;
    std::vector<std::string> values;
    for (const Value& value : axis.values) values.push_back(to_string(value));
    out += enumeration(axis.name, values);
  }
  out += "}  // namespace words\nusing namespace words;\n\n";
  std::vector<std::string> dtypes;
  std::string sizes;
  for (const DType dtype : all_dtypes()) {
    dtypes.emplace_back(to_string(dtype));
    sizes +=
        fmt::format("    case DType::{}:\n      return {};\n", to_string(dtype), size_bytes(dtype));
  }
  out += fmt::format("enum class DType : std::int64_t {{ {}, automatic }};\n",
                     fmt::join(dtypes, ", "));
  out += fmt::format(
      "constexpr std::int64_t size_of(DType dtype) {{\n  switch (dtype) {{\n{}"
      "    case DType::automatic:\n      break;\n  }}\n  return 0;\n}}\n\n",
      sizes);
  std::vector<std::string> implementations;
  for (const ImplementationDecl& one : family.implementations)
    implementations.push_back(names.implementation(one.name));
  out += fmt::format("enum class Implementation : std::int64_t {{ {} }};\n",
                     fmt::join(implementations, ", "));
  return out;
}

std::string header_query(const HeaderNames& names) {
  const Family& family = names.family();
  std::string out =
      "/// A value that follows from the others.\n"
      "inline constexpr std::int64_t automatic = INT64_MIN;\n\n"
      "/// What a caller wants to launch. A field of a tensor or symbol that its options leave out "
      "counts for nothing.\n"
      "struct Query {\n"
      "  std::string_view architecture = {};  // \"gfx942\", \"sm_90\", \"host-w64\"\n"
      "  std::string_view device = {};        // as the table names it; empty: unknown\n";
  for (const OptionDecl& option : family.options) {
    const std::string type = "words::" + cpp_identifier(option.name);
    add_field(out, type, names.field(option.name),
              type + "::" + cpp_identifier(option.values.front()), "");
  }
  for (const SymbolDecl& symbol : family.symbols)
    add_field(out, "std::int64_t", names.field(symbol.name), symbol_value(symbol), "");
  for (const DTypeDecl& dtype : family.dtypes) {
    const bool follows = !dtype.same_as.empty();
    add_field(out, "DType", names.field("dtype " + dtype.name),
              "DType::" + std::string(follows ? "automatic" : to_string(dtype.values.front())),
              follows ? "automatic: as " + dtype.same_as : "");
  }
  for (const TensorDecl& tensor : family.tensors) add_tensor_fields(out, names, tensor);
  return out + "};\n";
}

std::string header_row_types(const HeaderNames& names) {
  std::string out =
      "/// Facts of the device that launch expressions use.\n"
      "struct Facts {\n"
      "  std::int64_t cu_count = 1;\n"
      "  std::int64_t wave_size = table_wave_size;\n"
      "  std::int64_t lds_bytes_max = table_lds_bytes_max;\n"
      "  std::int64_t block_threads_max = table_block_threads_max;\n"
      "};\n\n"
      "/// One choice of all axes; those that an implementation does not have are zero.\n"
      "struct Axes {\n";
  for (const AxisDecl& axis : names.family().axes) {
    const std::string type =
        is_enumerated(axis) ? "words::" + cpp_identifier(axis.name) : "std::int64_t";
    out += fmt::format("  {} {} = {{}};\n", type, names.axis(axis.name));
  }
  return out + R"(};

struct Define {
  std::string_view name, value;
};

/// Why a row can be believed. Times are microseconds of one launch list.
struct Certificate {
  std::int64_t samples = 0, epochs = 0, candidates = 0, ties = 0;
  double median_us = 0, low_us = 0, high_us = 0, spread_percent = 0;
  double versus_baseline = 0, versus_low = 0, versus_high = 0;
  std::int64_t launches = 0, baseline_launches = 0;
  std::int64_t workspace_bytes = 0, baseline_workspace_bytes = 0;
  std::int64_t proofs = 0;
  std::string_view proved_on = {};
  // Rows of one geometry with the same class give a row the same bits at all row counts that were
  // compared; empty where that was not asked.
  std::string_view batch_class = {};
};

/// One choice: row counts in [rows_low, rows_high] of a geometry use this variant.
struct Row {
  std::int64_t rows_low = 0, rows_high = 0, tuned_at = 0;
  bool is_default = false;  // the baseline: nothing beat it beyond noise, or nothing is known
  Implementation implementation = {};
  Axes axes = {};
  std::string_view variant = {};
  std::string_view source_hash = {}, code_identity = {};
  const Define* defines = nullptr;  // macros for the compiler; none in default_row
  std::size_t define_count = 0;
  Certificate certificate = {};
  std::string_view data = {};      // "cold" or "hot", as measured
  std::string_view compiler = {};  // that made the code
  std::string_view geometry = {};  // its key; none in default_row
};

/// How near the row was measured to what was asked.
enum class Quality {
  device,        // on this device
  architecture,  // on another device of this architecture
  generic,       // on another architecture of this platform and wave size
  default_row,   // nothing measured applies: the baseline
  unsupported,   // the family refuses these numbers; there is no row
};

struct Match {
  const Row* row = nullptr;
  Quality quality = Quality::unsupported;
};

struct Dim3 {
  std::int64_t x = 1, y = 1, z = 1;
};

struct Launch {
  std::string_view entry = {};
  Dim3 grid = {}, block = {};
  std::int64_t lds_bytes = 0;
  bool active = false;  // otherwise there is nothing to launch: skip it
};
)";
}

}  // namespace fusetune

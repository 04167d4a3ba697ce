// family.yaml: errors have their place, files stay in the family's folder, and what is generated
// from its names and notes is well formed.

#include <algorithm>

#include "fuzz/target.hpp"
#include "harness/base/error.hpp"
#include "harness/compile/compiler.hpp"
#include "harness/table/table.hpp"

namespace fusetune::fuzz {

namespace {

constexpr const char* kFolder = "/nowhere/kernels/fuzzed";
constexpr const char* kFile = "/nowhere/kernels/fuzzed/family.yaml";

void require_inside(const std::filesystem::path& file) {
  const std::filesystem::path folder = kFolder;
  const auto relative = file.lexically_normal().lexically_relative(folder);
  require(!relative.empty() && relative != "." && *relative.begin() != "..",
          "a file outside of the family's folder: " + file.string());
}

void check_files(const Family& family) {
  for (const ImplementationDecl& one : family.implementations)
    if (!one.source.empty()) require_inside(one.source);
  for (const std::filesystem::path& file : family.captured) require_inside(file);
}

/// The geometry of the family's defaults, with one number for every size that has none; nothing
/// where no number will do.
std::optional<Geometry> some_geometry(const std::shared_ptr<const Family>& family) {
  for (const std::int64_t size : {64, 128, 4, 1}) {
    CaseRequest request;
    request.family = family;
    for (const SymbolDecl& symbol : family->symbols)
      if (!symbol.default_value)
        (symbol.is_static ? request.statics : request.runtime)[symbol.name] = size;
    try {
      return make_case(request).geometry;
    } catch (const UserError&) {
      continue;
    }
  }
  return std::nullopt;
}

std::optional<TableRow> some_row(const std::shared_ptr<const Family>& family) {
  const auto geometry = some_geometry(family);
  if (!geometry) return std::nullopt;
  TableRow row;
  row.geometry = *geometry;
  const ImplementationDecl& baseline = *family->find_implementation(family->baseline);
  row.variant.implementation = baseline.name;
  row.variant.axes = baseline.fixed;
  for (const std::string& axis : baseline.axes)
    row.variant.axes[axis] = family->find_axis(axis)->values.front();
  try {
    macros_of(row.geometry, row.variant, parse_target("host-w64"));
  } catch (const EvalError&) {
    return std::nullopt;  // a plan prunes it
  }
  row.is_default = true;
  row.provenance = {"0.1.0", "compiler", "sweep", "cold", {}};
  return row;
}

void check_generated(const std::shared_ptr<const Family>& family) {
  const auto row = some_row(family);
  if (!row) return;
  Table table;
  table.family = family;
  table.device = "host-w64";
  table.target = parse_target("host-w64");
  table.rows = {*row};
  require_cpp(to_header(table));
  require_cpp(replay_program(table));
  require_json_text(to_json(table).dump(2));
  for (const auto& [name, value] : macros_of(row->geometry, row->variant, table.target)) {
    const auto plain = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
    };
    require(std::all_of(name.begin(), name.end(), plain), "a macro that is no name: " + name);
    require(std::all_of(value.begin(), value.end(), [&](char c) { return plain(c) || c == '-'; }),
            "a macro whose value is more than a number or a name: " + value);
  }
}

}  // namespace

void run(std::string_view input) {
  std::shared_ptr<const Family> family;
  try {
    family = parse_family(input, kFile);
  } catch (const UserError& error) {
    return require_place(error.what(), kFile);
  }
  check_files(*family);
  check_generated(family);
}

}  // namespace fusetune::fuzz

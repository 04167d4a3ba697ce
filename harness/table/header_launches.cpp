// What a launch needs, from the expressions of the family's implementations.

#include <fmt/format.h>

#include "harness/table/header_parts.hpp"

namespace fusetune {

namespace {

struct LaunchNames {
  std::string active, entry, grid, block, lds_bytes;
};

std::string dims(const std::vector<Expr>& exprs, const std::string& prefix,
                 const ExpressionWriter& writer, std::string& functions) {
  std::string calls;
  for (std::size_t i = 0; i < exprs.size(); ++i) {
    const std::string name = fmt::format("{}_{}", prefix, i);
    functions += writer.function(name, exprs[i], true);
    calls += fmt::format("{}{}(query, row.axes, facts)", i == 0 ? "" : ", ", name);
  }
  return "Dim3{" + calls + "}";
}

std::string one(const Expr& expr, const std::string& name, const ExpressionWriter& writer,
                std::string& functions) {
  functions += writer.function(name, expr, true);
  return name + "(query, row.axes, facts)";
}

std::string write_launch(const LaunchDecl& launch, const std::string& prefix,
                         const ExpressionWriter& writer, std::string& functions) {
  std::string out;
  if (launch.when) {
    out += fmt::format("          if (!{}) return launch;\n",
                       one(*launch.when, prefix + "_when", writer, functions));
  }
  out += fmt::format("          launch.grid = {};\n",
                     dims(launch.grid, prefix + "_grid", writer, functions));
  out += fmt::format("          launch.block = {};\n",
                     dims(launch.block, prefix + "_block", writer, functions));
  out += fmt::format("          launch.lds_bytes = {};\n",
                     one(launch.lds_bytes, prefix + "_lds_bytes", writer, functions));
  return out +
         "          launch.active = launch.grid.x > 0 && launch.grid.y > 0 && "
         "launch.grid.z > 0;\n          return launch;\n";
}

}  // namespace

std::string header_launches(const HeaderNames& names, const ExpressionWriter& writer) {
  std::string functions, counts, entries, bodies;
  for (const ImplementationDecl& one : names.family().implementations) {
    const std::string& id = names.implementation(one.name);
    const std::string label = fmt::format("    case Implementation::{}:\n", id);
    counts += label + fmt::format("      return {};\n", one.launches.size());
    entries += label + "      switch (launch) {\n";
    bodies += label + "      switch (index) {\n";
    for (std::size_t i = 0; i < one.launches.size(); ++i) {
      entries +=
          fmt::format("        case {}:\n          return \"{}\";\n", i, one.launches[i].entry);
      bodies +=
          fmt::format("        case {}:\n", i) +
          write_launch(one.launches[i], fmt::format("launch_{}_{}", id, i), writer, functions);
    }
    const std::string none = "        default:\n          break;\n      }\n      break;\n";
    entries += none;
    bodies += none;
  }
  return fmt::format(
      R"(namespace detail {{
{}}}  // namespace detail

/// How many launches a row's implementation has at most, in order.
constexpr std::size_t launch_count(const Row& row) {{
  switch (row.implementation) {{
{}  }}
  return 0;
}}

/// The kernel of one of them; empty beyond the last.
constexpr std::string_view entry(const Row& row, std::size_t launch = 0) {{
  switch (row.implementation) {{
{}  }}
  return {{}};
}}

namespace detail {{
constexpr Launch launch_resolved(const Query& query, const Row& row, const Facts& facts,
                                 std::size_t index) {{
  Launch launch;
  launch.entry = entry(row, index);
  switch (row.implementation) {{
{}  }}
  static_cast<void>(query);
  static_cast<void>(facts);
  return launch;
}}
}}  // namespace detail

/// Everything that a launch needs, for the query that found the row.
constexpr Launch launch(const Query& query, const Row& row, const Facts& facts,
                        std::size_t index = 0) {{
  return detail::launch_resolved(detail::resolve(query), row, facts, index);
}}
constexpr Dim3 grid(const Query& query, const Row& row, std::int64_t cu_count,
                    std::size_t index = 0) {{
  Facts facts;
  facts.cu_count = cu_count;
  return launch(query, row, facts, index).grid;
}}
constexpr Dim3 block(const Query& query, const Row& row, std::size_t index = 0) {{
  return launch(query, row, Facts{{}}, index).block;
}}
constexpr std::int64_t lds_bytes(const Query& query, const Row& row, std::size_t index = 0) {{
  return launch(query, row, Facts{{}}, index).lds_bytes;
}}
)",
      functions, counts, entries, bodies);
}

}  // namespace fusetune

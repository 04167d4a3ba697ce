#pragma once
// Private to the header's writers: each returns one section of the generated file.

#include <map>
#include <set>
#include <string>

#include "harness/table/header_names.hpp"

namespace fusetune {

/// One constexpr function around an expression. Derived symbols are written out in it, so that what
/// a condition guards is not evaluated where the condition fails.
class ExpressionWriter {
 public:
  explicit ExpressionWriter(const HeaderNames& names);

  /// With derived symbols replaced by what they stand for.
  Expr closed(const Expr& expr) const;
  std::set<std::string> names_in(const Expr& expr) const { return closed(expr).names(); }
  /// `name` takes a resolved query; with `of_launch` also axes and the facts of the device.
  std::string function(const std::string& name, const Expr& expr, bool of_launch) const;

 private:
  std::string source(const std::string& name) const;

  const HeaderNames* names_;
  std::map<std::string, Expr> derived_;
};

std::string header_enums(const HeaderNames& names);
std::string header_query(const HeaderNames& names);
std::string header_row_types(const HeaderNames& names);
/// resolve_words, resolve_sizes, key_of, query_of, supports.
std::string header_resolve(const HeaderNames& names, const ExpressionWriter& writer);
/// entry, grid, block, lds_bytes of every implementation.
std::string header_launches(const HeaderNames& names, const ExpressionWriter& writer);
/// The rows; the table is normalised.
std::string header_rows(const Table& table, const HeaderNames& names);
/// From names of architectures to the quality of a match.
std::string header_targets();
/// lookup and the assertions over the rows.
std::string header_lookup();

}  // namespace fusetune

#pragma once
// What the stages of making a case share: scopes that remember why a derived symbol has no value,
// and the part of a case that is compiled in.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/spec/geometry.hpp"

namespace fusetune {

/// The values of an expression, and the derived symbols whose evaluation failed, with the reason.
struct Scope {
  Bindings values;
  std::map<std::string, std::string> failed;
};

/// Adds the derived symbols whose names are all bound and that are not there yet.
void add_derived(const Family& family, Scope& scope);

/// As scope_of, with failures instead of exceptions.
Scope scope_parts(const Geometry& geometry, const Target* target, const Variant* variant,
                  const Case* which, const DeviceFacts* device);

/// The names of a case without row_stride(), which its shapes cannot use.
Scope case_scope(const Geometry& geometry, const Bindings& runtime);
TensorShape shape_in(const Case& which, const TensorDecl& tensor, const Scope& scope);

/// A rule over a scope. It applies when every name that it uses is there: a rule over an axis says
/// nothing of an implementation without it.
struct RuleResult {
  bool applies = true;
  bool holds = true;
  std::string why;  ///< reason, rule and place, when it does not hold
};
RuleResult check_rule(const RuleDecl& rule, const Scope& scope);

/// Statics, options and dtypes filled in and checked, before there is any size.
struct StaticPart {
  Geometry geometry;  ///< without alignment classes
  Scope scope;        ///< with has(), without align_bytes()
  std::vector<const TensorDecl*> tensors;
  std::vector<const SymbolDecl*> runtime;  ///< runtime symbols that are there

  bool has(std::string_view tensor) const;
};
/// Throws UserError, also where `supports` refuses already.
StaticPart make_static_part(const CaseRequest& request);

/// The elements of a row; nothing when that depends on runtime symbols.
std::optional<std::int64_t> static_row_elements(const TensorDecl& tensor, const Scope& scope);

/// The alignment class of a tensor; nothing when its list has none that fits.
std::optional<std::int64_t> alignment_class(const TensorDecl& tensor, std::int64_t base_bytes,
                                            std::optional<std::int64_t> row_bytes);

/// What dense rows with a 16-byte base give; the best class where rows vary at run time.
std::optional<std::int64_t> dense_alignment(const Geometry& geometry, const TensorDecl& tensor,
                                            const Scope& scope);

/// Whether the rows of a tensor lie apart by a stride that its alignment depends on.
bool has_rows(const TensorDecl& tensor);

/// Products that must not wrap. Throw EvalError.
std::int64_t checked_multiply(std::int64_t a, std::int64_t b, std::string_view what);
std::int64_t checked_add(std::int64_t a, std::int64_t b, std::string_view what);

/// Fills in runtime symbols that are not given from their defaults and checks them all.
Bindings complete_runtime(const StaticPart& part, const Bindings& given, const Mark& mark);

/// The scalars of a case: those given, checked, and the defaults of the others.
std::map<std::string, double> complete_scalars(const CaseRequest& request);
/// A scalar in a key: "1e-05", "3".
std::string scalar_text(const ScalarDecl& scalar, double value);
/// Back again. Throws UserError.
double scalar_from_text(const ScalarDecl& scalar, const std::string& text);

/// `supports` over everything that is known. Throws UserError with the reason.
void require_supported(const Family& family, const Scope& scope, const Mark& mark);

/// "a=1" pairs of a key "name(a=1,b=2)", or of "a=1,b=2" when `name` is null.
std::vector<std::pair<std::string, std::string>> split_key(std::string_view key, std::string* name);

}  // namespace fusetune

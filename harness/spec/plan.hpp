#pragma once
// A sweep made concrete: geometries x variants are compiled, cases are proved and raced.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/search/strategy.hpp"
#include "harness/spec/geometry.hpp"
#include "harness/spec/models.hpp"

namespace fusetune {

/// How many variants of a space are taken: all, a set that covers each pair of axis values, or N
/// spread evenly.
struct SpaceChoice {
  enum class Kind { full, pairwise, count } kind = Kind::full;
  std::int64_t count = 0;

  std::string text() const;
};
/// "full", "pairwise" or a positive number. Throws UserError.
SpaceChoice parse_space(std::string_view text, const Mark& mark = {});

/// Which variants of a space are tried: all of them, or those that a strategy asks for.
struct SearchChoice {
  StrategyKind strategy = StrategyKind::exhaustive;
  std::int64_t evaluations = 64;  ///< variants of each geometry; of a smaller space all are tried
  std::int64_t seed = 1;

  bool is_exhaustive() const { return strategy == StrategyKind::exhaustive; }
  /// "model, 64 evaluations, seed 1"
  std::string text() const;
};

struct MeasureChoice {
  std::string data = "cold";  ///< cold or hot
  double budget_s = 60;       ///< wall time for the measuring of the whole sweep
  double probe_cutoff = 2.5;  ///< a variant slower than this times the best probe is not raced
  /// Times for a search alone: few visits, and nothing is chosen by them.
  bool for_search = false;
};

/// One entry of a sweep's `families`. Empty lists mean: the family's defaults.
struct SweepEntry {
  std::shared_ptr<const Family> family;
  std::vector<std::string> models;  ///< selectors of Models::select
  std::vector<Mark> model_marks;    ///< places of `models`
  std::vector<Mark> symbol_marks;   ///< places of `symbols`
  std::vector<Bindings> symbols;    ///< geometries without a model
  std::map<std::string, std::vector<std::string>> options;
  std::map<std::string, std::vector<DType>> dtypes;
  std::vector<std::pair<std::int64_t, double>> tokens;   ///< values of the rows symbol with weights
  std::map<std::string, std::vector<Expr>> runtime;      ///< other runtime symbols
  std::map<std::string, std::vector<Expr>> row_strides;  ///< elements, over statics and options
  std::map<std::string, std::int64_t> base_align_bytes;
  std::map<std::string, std::vector<double>> scalars;  ///< values to combine
  double cosine_min = -1;  ///< demanded of every output beyond what the family asks; -1: nothing
  bool batch_invariant = false;  ///< a table names variants that give a row equal bits, everywhere
  std::map<std::string, std::vector<Value>> axes;  ///< override or fix
  std::vector<RuleDecl> filters;                   ///< further constraints
  std::vector<RuleDecl> require;                   ///< of facts (harness/spec/variant_facts.hpp)
  std::vector<std::string> implementations;        ///< default: all that serve the geometry
  std::optional<SpaceChoice> space;
  Mark mark;
};

struct Sweep {
  std::string name;
  std::filesystem::path file;
  std::string content_hash;  ///< of the file and its includes
  std::string device;        ///< "host-w64", "hip:0"
  std::vector<std::string> also_compile;
  std::vector<SweepEntry> entries;
  SpaceChoice space;
  SearchChoice search;
  MeasureChoice measure;
};

/// Reads a sweep, resolving includes against the including file. Throws UserError with place and
/// nearest names.
Sweep load_sweep(const std::filesystem::path& file);
/// As load_sweep, from the text of a file that lies there.
Sweep parse_sweep(std::string_view text, const std::filesystem::path& file);
/// Leaves the entries of these families, or all where none is named.
void keep_families(Sweep& sweep, const std::vector<std::string>& families);

struct Pruned {
  Variant variant;
  std::string reason;
};

/// What a search made of a geometry's space: the variants that it did not try are no longer in the
/// plan.
struct Searched {
  SearchChoice choice;
  std::int64_t tried = 0;      ///< variants of the tuned implementation
  std::int64_t variants = 0;   ///< that it chose from
  std::set<std::size_t> slow;  ///< tried variants that are not worth a race
};

struct PlannedCase {
  Case which;
  double weight = 1;
};

/// One geometry with the variants to compile and the cases to run them on.
struct PlannedGeometry {
  Geometry geometry;
  std::vector<std::string> models;  ///< the model splits that produce it
  bool verified = true;             ///< false when only unverified models produce it
  std::vector<Variant> variants;    ///< every implementation that serves it, the tuned one's first
  std::vector<Pruned> pruned;     ///< by constraints, filters or the space choice, with the reason
  double cosine_min = -1;         ///< the strictest demand of its entries, -1: none
  bool batch_invariant = false;   ///< some entry asks for it
  std::vector<RuleDecl> require;  ///< to be judged once a variant's facts are known
  std::vector<PlannedCase> cases;
  std::optional<Searched> searched;  ///< where not all of the space was tried
};

struct Plan {
  Sweep sweep;
  Target target;  ///< of the device
  std::vector<Target> compile_only;
  std::vector<PlannedGeometry> geometries;  ///< sorted by key
  bool own_shapes = false;                  ///< prove every case at its own shape, however large
  std::vector<std::string> skipped;         ///< "model: reason", said and counted, never silent

  std::vector<std::string> geometry_keys() const;  ///< in their order
  std::int64_t case_count() const;
  std::int64_t variant_count() const;  ///< summed over geometries
  std::int64_t pruned_count() const;   ///< summed over geometries
};

/// The variants of a geometry that its search chooses from: those of the tuned implementation, or
/// none where the sweep tries all.
std::vector<std::size_t> searched_variants(const Plan& plan, const PlannedGeometry& geometry);

/// Makes the plan for a target. Throws UserError when nothing is left: an empty sweep, or a space
/// that a constraint emptied (the message names the constraint that removed the last variant).
Plan make_plan(const Sweep& sweep, const Models& models, const Target& target);

/// Whether a row of the results depends on no other row of the inputs.
bool has_independent_rows(const Geometry& geometry);

/// Throws UserError where rows of the geometry depend on each other, so that a row cannot be asked
/// to have the same bits in every batch.
void require_independent_rows(const Geometry& geometry, const Mark& mark);

/// The variants of an implementation for a geometry; what was left out goes to `pruned`. Throws
/// UserError when none is left.
std::vector<Variant> enumerate_variants(const Geometry& geometry,
                                        const ImplementationDecl& implementation,
                                        const Target& target, const SweepEntry& entry,
                                        const SpaceChoice& space, std::vector<Pruned>* pruned);

/// The row counts at which a variant is proved: 0, 1, tile-1, tile, tile+1, 3 tiles + 5 and a
/// prime, sorted, unique.
std::vector<std::int64_t> adversarial_rows(const Geometry& geometry, const Variant& variant,
                                           const Target& target);

/// As the case, with another row count and every combination of the `prove` values of its other
/// runtime symbols.
std::vector<Case> cases_at_rows(const Case& which, std::int64_t rows);

/// Smaller is simpler: the positions of the values in their axes' lists, for ties.
std::vector<std::size_t> simplicity_rank(const Family& family, const Variant& variant);

}  // namespace fusetune

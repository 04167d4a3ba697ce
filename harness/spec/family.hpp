#pragma once
// A family as its family.yaml declares it: plain data, no behaviour. docs/yaml.md explains the
// file.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/spec/accept.hpp"
#include "harness/spec/dtype.hpp"
#include "harness/spec/expr.hpp"
#include "harness/spec/generator.hpp"
#include "harness/spec/value.hpp"

namespace fusetune {

/// A dimension: static ones are compiled in, runtime ones are arguments (contract 2).
struct SymbolDecl {
  std::string name;
  bool is_static = false;
  std::optional<Expr>
      when;  ///< declared only under these options; absent otherwise (runtime symbols only)
  std::optional<Expr> default_value;  ///< over the other symbols
  std::optional<Expr> from_model;     ///< over the attributes of a model and `tp`
  std::vector<Expr>
      prove;  ///< runtime: the values to prove besides the case's own, over the other symbols
  Mark mark;
};

struct OptionDecl {
  std::string name;
  std::vector<std::string> values;  ///< the first is the default
  std::optional<Expr> when;         ///< meaningful only then; otherwise fixed at its default
  std::string from_model;           ///< attribute of a model that names the value, "" for none
  Mark mark;
};

/// A named element type of the family that the geometry chooses.
struct DTypeDecl {
  std::string name;
  std::vector<DType> values;  ///< the first is the default
  std::string same_as;        ///< default: as this other one; "" for none
  Mark mark;
};

enum class Role { in, out, inout, state, workspace };
std::string_view to_string(Role role);

struct TensorDecl {
  std::string name;
  Role role = Role::in;
  std::string dtype;        ///< name of a DTypeDecl
  std::vector<Expr> shape;  ///< over symbols; row-major
  bool runtime_row_stride =
      false;  ///< the stride of dimension 0, in elements, is an argument; otherwise rows are dense
  std::vector<std::int64_t> align_bytes;  ///< allowed alignment classes, largest first
  std::optional<Expr> when;               ///< not there (and not in the ABI) otherwise
  Generator generator;
  Accept accept;
  /// Inputs that an `out` tensor may share its memory with (in place): proved so as well.
  std::vector<std::string> may_alias;
  std::optional<Expr> touched_read_bytes;   ///< default: the whole tensor if it is read
  std::optional<Expr> touched_write_bytes;  ///< default: the whole tensor if it is written
  Mark mark;
};

struct ScalarDecl {
  std::string name;
  enum class Type { f32, i32, i64 } type = Type::f32;
  double default_value = 0;
  Mark mark;
};

struct AxisDecl {
  std::string name;
  std::vector<Value> values;  ///< the shipped space, simplest first: ties go to the earlier value
  std::optional<std::pair<std::int64_t, std::int64_t>> range;  ///< integers a sweep may use besides
  Mark mark;
};

/// A boolean rule with the text that a person reads when it refuses.
struct RuleDecl {
  Expr rule;
  std::string reason;  ///< the expression's text when none is given
  Mark mark;
};

struct LaunchDecl {
  std::string entry;
  std::vector<Expr> grid;   ///< 1 to 3 dimensions, blocks
  std::vector<Expr> block;  ///< 1 to 3 dimensions, threads
  Expr lds_bytes;           ///< dynamic shared memory
  std::vector<std::string>
      arguments;  ///< names of tensors, runtime symbols and scalars; empty: all, in declared order
  std::optional<Expr> when;
  Mark mark;
};

struct ImplementationDecl {
  std::string name;
  std::filesystem::path source;   ///< absolute; empty when there is no launch
  std::vector<std::string> axes;  ///< those that vary; the others are not defined for it
  Bindings fixed;                 ///< axes with one value here
  std::vector<LaunchDecl> launches;
  std::optional<Expr> when;  ///< geometries that it serves
  std::optional<Expr>
      tile_rows;  ///< runtime rows per iteration of one block: what adversarial counts go around
  Expr workspace_bytes;  ///< intermediates between its launches
  std::string note;      ///< what a report says of it
  Mark mark;
};

struct Family {
  std::string name;
  std::string summary;
  std::filesystem::path directory;
  std::filesystem::path file;  ///< what load_family read
  std::string content_hash;    ///< of family.yaml
  std::string rows;            ///< the runtime symbol that counts rows ("tokens"): what buckets and
                               ///< adversarial counts vary
  std::vector<SymbolDecl> symbols;
  std::vector<std::pair<std::string, Expr>> derived;  ///< in order; later ones may use earlier ones
  std::vector<OptionDecl> options;
  std::vector<DTypeDecl> dtypes;
  std::vector<TensorDecl> tensors;  ///< the order is the ABI's
  std::vector<ScalarDecl> scalars;
  std::vector<AxisDecl> axes;
  std::vector<RuleDecl> constraints;  ///< over statics, options, axes, align_bytes(), WAVE_SIZE
  std::vector<RuleDecl> supports;     ///< over statics and options: what geometries are refused
  /// Where it does not hold, rows of one call depend on each other, and asking for equal bits in
  /// every batch is a mistake.
  std::optional<RuleDecl> independent_rows;
  std::vector<ImplementationDecl> implementations;
  std::string tuned;      ///< the implementation whose variants race ("fused")
  std::string baseline;   ///< what it is compared with and what `default` rows name ("unfused")
  std::string reference;  ///< name in the registry of reference/, or "captured"
  /// Files of captured cases that stand for the reference in proofs; absolute.
  std::vector<std::filesystem::path> captured;
  std::int64_t proof_calls = 1;  ///< calls in a row that a proof makes; state lives from one to the
                                 ///< next. At least 2 where a tensor has the role `state`
  /// Kind of published vectors -> mappings of their parameters and tensors; the first whose `when`
  /// holds is taken.
  std::map<std::string, std::vector<Json>> golden;

  const SymbolDecl* find_symbol(std::string_view name) const;
  const OptionDecl* find_option(std::string_view name) const;
  const DTypeDecl* find_dtype(std::string_view name) const;
  const TensorDecl* find_tensor(std::string_view name) const;
  const AxisDecl* find_axis(std::string_view name) const;
  const ImplementationDecl* find_implementation(std::string_view name) const;

  /// No function computes the truth: it is what captured vectors hold.
  bool has_captured_truth() const;

  /// Every result is a copy of bytes: kernels see the sizes of elements and no types.
  bool moves_bytes() const;

  std::vector<std::string> static_symbols() const;
  std::vector<std::string> runtime_symbols() const;
};

/// Reads kernels/<name>/family.yaml or the given file. Throws UserError with place and nearest
/// names. Places are those of a file called `shown`; "": of this one.
std::shared_ptr<const Family> load_family(const std::filesystem::path& file,
                                          const std::string& shown = "");
/// As load_family, from the text of a file that lies there.
std::shared_ptr<const Family> parse_family(std::string_view text, const std::filesystem::path& file,
                                           const std::string& shown = "");
/// By name, from the kernels/ folder of the project or a folder of $FUSETUNE_KERNEL_PATH (separated
/// by colons). Throws UserError listing the families.
std::shared_ptr<const Family> find_family(std::string_view name);
std::vector<std::string> family_names();

}  // namespace fusetune

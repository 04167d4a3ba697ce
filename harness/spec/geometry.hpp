#pragma once
// The three levels of "what": geometry (compiled for), case (computed), variant (how). All have
// keys that paste back.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/spec/family.hpp"
#include "harness/spec/target.hpp"

namespace fusetune {

/// Family + options + static symbols + dtypes + alignment class.
struct Geometry {
  std::shared_ptr<const Family> family;
  Bindings statics;                     ///< static symbols (int64) and every option (Enum)
  std::map<std::string, DType> dtypes;  ///< every DTypeDecl
  std::map<std::string, std::int64_t> align_bytes;  ///< of every tensor that is present

  /// "split_reshape_cat(act=bf16,ba=bf16,hk=128,...)", sorted; align_<tensor>=N only where below
  /// what its dense rows give.
  std::string key() const;
  bool has(std::string_view tensor) const;
};

/// Geometry + runtime symbols + row strides + scalars.
struct Case {
  Geometry geometry;
  Bindings runtime;  ///< every runtime symbol that is present (int64)
  std::map<std::string, std::int64_t>
      row_strides;                        ///< elements, of tensors with runtime_row_stride
  std::map<std::string, double> scalars;  ///< as written; the family's defaults where not there

  /// As the geometry's with the runtime symbols; stride_<tensor>=N only where not dense, and
  /// symbols and scalars at their default left out.
  std::string key() const;
  /// As the kernel gets it: rounded to its type. Throws std::logic_error for a name that the family
  /// does not have.
  double scalar(std::string_view name) const;
  std::int64_t rows() const;  ///< the value of the family's rows symbol
};

/// One choice of all axes of one implementation.
struct Variant {
  std::string implementation;
  Bindings axes;

  /// "block_size=256,rows_per_iter=4", with implementation=... in its place by name where it is not
  /// the family's tuned one.
  std::string key(const Family& family) const;
};

/// Facts of a device that launch expressions may use.
struct DeviceFacts {
  std::int64_t cu_count = 1;
  std::int64_t lds_bytes_max = 65536;
  std::int64_t block_threads_max = 1024;
};

/// Everything an expression can see. Absent parts are left out; deriveds whose names are all bound
/// are added.
Bindings scope_of(const Geometry& geometry, const Target* target = nullptr,
                  const Variant* variant = nullptr, const Case* which = nullptr,
                  const DeviceFacts* device = nullptr);

/// Shape in elements and row stride of a tensor of a case, evaluated and checked against overflow.
struct TensorShape {
  std::vector<std::int64_t> dims;
  std::int64_t row_elements = 1;  ///< product of dims[1..]
  std::int64_t row_stride = 1;    ///< elements from row to row, >= row_elements
  DType dtype = DType::bf16;

  std::int64_t rows() const { return dims.empty() ? 1 : dims[0]; }
  std::int64_t elements() const { return rows() * row_elements; }
  /// Bytes from the first to past the last element, row padding of the last row left out.
  std::int64_t span_bytes() const;
};
TensorShape shape_of(const Case& which, const TensorDecl& tensor);

/// Tensors that the geometry has, in ABI order.
std::vector<const TensorDecl*> tensors_of(const Geometry& geometry);

/// All tensors of a case, the padding between their rows included.
std::int64_t tensor_bytes(const Case& which);

/// Compulsory traffic of the case in bytes (contract 10).
struct Traffic {
  std::int64_t read_bytes = 0;
  std::int64_t write_bytes = 0;
};
Traffic traffic_of(const Case& which);

/// One argument of a launch, in the order of the ABI.
struct Argument {
  enum class Kind { tensor, row_stride, symbol, scalar } kind = Kind::tensor;
  std::string name;  ///< of the tensor, symbol or scalar
};

/// One kernel launch with every number filled in.
struct Launch {
  std::string entry;
  std::array<std::int64_t, 3> grid{1, 1, 1};
  std::array<std::int64_t, 3> block{1, 1, 1};
  std::int64_t lds_bytes = 0;
  std::vector<Argument> arguments;
};

/// The launches of one case on one device, for many variants: what these have in common is worked
/// out once.
class CaseLaunches {
 public:
  CaseLaunches(const Case& which, const Target& target, const DeviceFacts& device);
  /// In order. Those whose `when` is false or whose grid is empty are left out (contract 4). Throws
  /// EvalError when an expression fails.
  std::vector<Launch> of(const Variant& variant) const;

 private:
  Geometry geometry_;
  DeviceFacts device_;
  struct Base;  ///< the scope without a variant
  std::shared_ptr<const Base> base_;
};

/// Those of one variant.
std::vector<Launch> launches_of(const Case& which, const Variant& variant, const Target& target,
                                const DeviceFacts& device);

/// Identifies what a launch list does besides its code: entries, grids, blocks, LDS, arguments,
/// scalars (contract 6).
std::string launch_plan_key(const std::vector<Launch>& launches);

/// The parameter list of an entry, as generated into the signature check.
std::vector<Argument> arguments_of(const Geometry& geometry, const LaunchDecl& launch);
/// With a scope that has the geometry's names, where there is one.
std::vector<Argument> arguments_of(const Geometry& geometry, const LaunchDecl& launch,
                                   const Bindings& scope);

/// The macros of a code object, name and value, sorted: FT_<SYMBOL>, FT_<OPTION>,
/// FT_<OPTION>_<VALUE>, FT_BYTES_<DTYPE>, FT_ALIGN_<TENSOR>, FT_HAS_<TENSOR>, FT_<AXIS>,
/// FT_<DERIVED> (static ones), FT_WAVE_SIZE. Nothing in it depends on runtime symbols (contract 2).
std::vector<std::pair<std::string, std::string>> macros_of(const Geometry& geometry,
                                                           const Variant& variant,
                                                           const Target& target);

/// Keys back to values. Throw UserError with nearest names.
Case parse_case_key(std::string_view key);
Geometry parse_geometry_key(std::string_view key);
Variant parse_variant_key(const Family& family, std::string_view key);

/// Builds and checks a case: fills defaults, derives the alignment class from `base_align_bytes`
/// (16 where not given) and the row strides, evaluates `supports`. Throws UserError for impossible
/// shapes (ratio not whole, stride below the width or misaligned, unsupported with its reason).
struct CaseRequest {
  std::shared_ptr<const Family> family;
  Bindings statics;  ///< static symbols and options that are given
  std::map<std::string, DType> dtypes;
  Bindings runtime;
  std::map<std::string, std::int64_t> row_strides;       ///< elements; dense where not given
  std::map<std::string, std::int64_t> base_align_bytes;  ///< alignment of the first element
  std::map<std::string, double> scalars;
  Mark mark;
};
Case make_case(const CaseRequest& request);

/// Worker messages carry cases as JSON.
Json to_json(const Case& which);
Case case_from_json(const Json& json);
Json to_json(const Variant& variant);
Variant variant_from_json(const Json& json);

}  // namespace fusetune

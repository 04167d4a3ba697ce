#pragma once
// The mapping of a golden case to a family: `golden: {<name>: {options, symbols, tensors, ...}}` of
// family.yaml, ours to theirs.

#include <functional>
#include <optional>
#include <string_view>

#include "harness/verify/golden.hpp"

namespace fusetune {

/// By its name in a file; nothing where it is none of ours.
std::optional<DType> dtype_of_stored(std::string_view name);

/// YAML scalars arrive as JSON strings or as what they look like.
std::string golden_word(const Json& value);

class GoldenMapping {
 public:
  /// Throws UserError when the family maps no golden cases of this name. Both must outlive it.
  GoldenMapping(const Family& family, const GoldenCase& golden);

  /// What one of ours holds before the call: a tensor of the file, one made of what the file has,
  /// or one that the mapping fills. Throws UserError: not mapped, absent, another type or shape, or
  /// updated in place without a content that the mapping knows.
  const StoredTensor& before(const TensorDecl& declared, const TensorShape& shape) const;
  /// What it holds behind it. Throws UserError: not mapped, absent, another type or shape, lent by
  /// another case.
  const StoredTensor& after(const TensorDecl& declared, const TensorShape& shape) const;
  /// Whether the mapping says what it holds behind the call.
  bool names_after(const TensorDecl& declared) const;

  /// What the golden case says an output is before its last rounding; nullptr when it does not say:
  /// the mapping names none, or one that the case lacks, without another tensor that it could be.
  /// Throws UserError: absent while there is one, no float, of another shape, lent.
  const StoredTensor* truth(const TensorDecl& declared, const TensorShape& shape) const;

  /// What make_case() needs.
  CaseRequest request(const std::shared_ptr<const Family>& family) const;

 private:
  [[noreturn]] void fail(const std::string& what) const;
  /// A symbol's value: a parameter of the golden case, or the number that the mapping gives.
  std::int64_t number(const std::string& symbol, const Json& value) const;
  /// A scalar's value: a parameter of the golden case, or the number that the mapping gives.
  double real(const std::string& scalar, const Json& value) const;
  /// A parameter of the golden case as a word of ours: on and off for truth values, others through
  /// `words`.
  std::string word_of_param(const std::string& ours, const std::string& theirs,
                            const std::vector<std::string>& known) const;
  void take_dtypes(CaseRequest& request) const;
  void take_dtype(CaseRequest& request, const TensorDecl& tensor, const StoredTensor& found) const;
  /// A part of the mapping; an empty object when it is not there.
  const Json& part(const char* name) const;
  bool is_filled_by_mapping(const TensorDecl& declared) const;
  const StoredTensor& filled(const TensorDecl& declared, const TensorShape& shape) const;
  const StoredTensor& from_file(const TensorDecl& declared, const TensorShape& shape) const;
  const StoredTensor& made(const std::string& name,
                           const std::function<StoredTensor()>& make) const;
  void require_shape(const TensorDecl& declared, const StoredTensor& found,
                     const TensorShape& shape) const;
  [[noreturn]] void fail_unknown(const char* mapping_part, const std::string& our_name) const;
  void require_own(const char* mapping_part, const std::string& our_name) const;
  /// Whether the case has numbers of this shape in fp32 that the mapping does not name.
  bool has_unnamed_fp32(const TensorShape& shape) const;
  /// By the name that the mapping gives it in this part; nullptr where either has none.
  const StoredTensor* find_stored(const char* mapping_part, const std::string& our_name) const;
  /// A parameter of the golden case, `section.1` an element of a list; nullptr when there is none.
  const Json* param(const std::string& name) const;

  const Family& family_;
  const GoldenCase& golden_;
  const Json* mapping_ = nullptr;
  mutable std::map<std::string, StoredTensor> made_;  ///< when they are asked for
};

}  // namespace fusetune

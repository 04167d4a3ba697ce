#include "harness/verify/golden_mapping.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>

#include "harness/base/error.hpp"
#include "harness/verify/codec.hpp"
#include "harness/verify/golden_tables.hpp"

namespace fusetune {

std::optional<DType> dtype_of_stored(std::string_view name) {
  if (name == "BF16") return DType::bf16;
  if (name == "F16") return DType::fp16;
  if (name == "F32") return DType::fp32;
  if (name == "I32") return DType::i32;
  if (name == "I64") return DType::i64;
  if (name == "U8") return DType::u8;
  if (name == "F8_E4M3") return DType::e4m3fn;
  if (name == "F8_E5M2") return DType::e5m2;
  return std::nullopt;
}

std::string golden_word(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

namespace {

bool holds(const Json& mapping, const GoldenCase& golden) {
  if (!mapping.contains("when")) return true;
  const auto conditions = mapping["when"].items();
  return std::all_of(conditions.begin(), conditions.end(), [&golden](const auto& condition) {
    return golden.params.contains(condition.key()) &&
           golden_word(golden.params[condition.key()]) == golden_word(condition.value());
  });
}

/// nullptr when there is none for this case.
const Json* mapping_of(const Family& family, const GoldenCase& golden) {
  const auto found = family.golden.find(golden.family);
  if (found == family.golden.end()) return nullptr;
  for (const Json& mapping : found->second)
    if (holds(mapping, golden)) return &mapping;
  return nullptr;
}

std::int64_t element_count(const std::vector<std::int64_t>& dims) {
  return std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
}

/// One shape is the other with neighbouring dimensions joined: [T, H * D] and [T, H, D].
bool is_regrouped(const std::vector<std::int64_t>& one, const std::vector<std::int64_t>& other) {
  const auto ends_of = [](const std::vector<std::int64_t>& dims) {
    std::set<std::int64_t> ends{1};
    std::int64_t end = 1;
    for (const std::int64_t dim : dims) ends.insert(end *= dim);
    return ends;
  };
  const auto a = ends_of(one), b = ends_of(other);
  return element_count(one) == element_count(other) &&
         (std::includes(a.begin(), a.end(), b.begin(), b.end()) ||
          std::includes(b.begin(), b.end(), a.begin(), a.end()));
}

/// What a cache holds within its blocks is the business of its layout.
bool has_same_blocks(const std::vector<std::int64_t>& one, const std::vector<std::int64_t>& other) {
  return !one.empty() && !other.empty() && one.front() == other.front() &&
         element_count(one) == element_count(other);
}

}  // namespace

GoldenMapping::GoldenMapping(const Family& family, const GoldenCase& golden)
    : family_(family), golden_(golden) {
  mapping_ = mapping_of(family, golden);
  if (mapping_ == nullptr)
    fail(fmt::format("family {} does not map golden cases of '{}'", family.name, golden.family));
}

void GoldenMapping::fail(const std::string& what) const {
  throw UserError(fmt::format("golden case {}: {}", golden_.name, what));
}

const Json& GoldenMapping::part(const char* name) const {
  static const Json empty = Json::object();
  return mapping_->contains(name) ? (*mapping_)[name] : empty;
}

void GoldenMapping::fail_unknown(const char* mapping_part, const std::string& our_name) const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : golden_.tensors) names.push_back(name);
  fail(fmt::format("{}.{} of family {}: {}", mapping_part, our_name, family_.name,
                   unknown_name("tensor", golden_word(part(mapping_part)[our_name]), names)));
}

void GoldenMapping::require_own(const char* mapping_part, const std::string& our_name) const {
  const std::string theirs = golden_word(part(mapping_part)[our_name]);
  if (golden_.lent.count(theirs) != 0)
    fail(fmt::format("tensor '{}' is lent by another case: what a case gives must be its own",
                     theirs));
}

const StoredTensor& GoldenMapping::made(const std::string& name,
                                        const std::function<StoredTensor()>& make) const {
  const auto [entry, added] = made_.try_emplace(name);
  if (added) entry->second = make();
  return entry->second;
}

const StoredTensor& GoldenMapping::filled(const TensorDecl& declared,
                                          const TensorShape& shape) const {
  return made(declared.name, [&] {
    const Json& bits = part("filled_bits");
    return golden_filled(
        shape, bits.contains(declared.name)
                   ? bits[declared.name].get<std::uint64_t>()
                   : encode(shape.dtype, real(declared.name, part("filled")[declared.name])));
  });
}

bool GoldenMapping::is_filled_by_mapping(const TensorDecl& declared) const {
  return part("filled").contains(declared.name) || part("filled_bits").contains(declared.name);
}

const StoredTensor& GoldenMapping::before(const TensorDecl& declared,
                                          const TensorShape& shape) const {
  if (is_filled_by_mapping(declared)) return filled(declared, shape);
  if (declared.role != Role::in)
    fail(fmt::format("tensor '{}' is updated in place: its initial content is not in the file",
                     declared.name));
  const Json& tables = part("tables");
  if (tables.contains(declared.name))
    return made(declared.name,
                [&] { return golden_table(golden_, golden_word(tables[declared.name]), shape); });
  return from_file(declared, shape);
}

const StoredTensor& GoldenMapping::after(const TensorDecl& declared,
                                         const TensorShape& shape) const {
  const StoredTensor& found = from_file(declared, shape);
  require_own("tensors", declared.name);
  return found;
}

bool GoldenMapping::names_after(const TensorDecl& declared) const {
  return part("tensors").contains(declared.name);
}

const StoredTensor& GoldenMapping::from_file(const TensorDecl& declared,
                                             const TensorShape& shape) const {
  if (!part("tensors").contains(declared.name))
    fail(fmt::format("the mapping of family {} names no tensor for '{}'", family_.name,
                     declared.name));
  const StoredTensor* stored = find_stored("tensors", declared.name);
  if (stored == nullptr) fail_unknown("tensors", declared.name);
  const StoredTensor& found = *stored;
  // Files have no name for most types of one byte.
  const bool codes = found.dtype == "U8" && size_bytes(shape.dtype) == 1;
  if (!codes && dtype_of_stored(found.dtype) != shape.dtype)
    fail(fmt::format("tensor '{}' is {} there and {} here", declared.name, found.dtype,
                     to_string(shape.dtype)));
  require_shape(declared, found, shape);
  return found;
}

void GoldenMapping::require_shape(const TensorDecl& declared, const StoredTensor& found,
                                  const TensorShape& shape) const {
  const bool fits = is_regrouped(found.dims, shape.dims) ||
                    (declared.role == Role::state && has_same_blocks(found.dims, shape.dims));
  if (!fits)
    fail(fmt::format("tensor '{}' is [{}] there and [{}] here", declared.name,
                     fmt::join(found.dims, ", "), fmt::join(shape.dims, ", ")));
}

const StoredTensor* GoldenMapping::find_stored(const char* mapping_part,
                                               const std::string& our_name) const {
  const Json& names = part(mapping_part);
  if (!names.contains(our_name)) return nullptr;
  const auto found = golden_.tensors.find(golden_word(names[our_name]));
  return found == golden_.tensors.end() ? nullptr : &found->second;
}

bool GoldenMapping::has_unnamed_fp32(const TensorShape& shape) const {
  std::set<std::string> named;
  for (const char* names : {"tensors", "truths"})
    for (const auto& [ours, theirs] : part(names).items()) named.insert(golden_word(theirs));
  return std::any_of(golden_.tensors.begin(), golden_.tensors.end(), [&](const auto& entry) {
    return named.count(entry.first) == 0 && dtype_of_stored(entry.second.dtype) == DType::fp32 &&
           is_regrouped(entry.second.dims, shape.dims);
  });
}

const StoredTensor* GoldenMapping::truth(const TensorDecl& declared,
                                         const TensorShape& shape) const {
  if (!part("truths").contains(declared.name)) return nullptr;
  const StoredTensor* found = find_stored("truths", declared.name);
  if (found == nullptr) {
    // Some cases have none; in the others the mapping does not mean what it names.
    if (has_unnamed_fp32(shape)) fail_unknown("truths", declared.name);
    return nullptr;
  }
  require_own("truths", declared.name);
  const std::optional<DType> dtype = dtype_of_stored(found->dtype);
  if (!dtype || is_integer(*dtype))
    fail(fmt::format("the truth of '{}' has the type {}", declared.name, found->dtype));
  require_shape(declared, *found, shape);
  return found;
}

bool maps_golden(const Family& family, const GoldenCase& golden) {
  return mapping_of(family, golden) != nullptr;
}

Case case_of_golden(const std::shared_ptr<const Family>& family, const GoldenCase& golden) {
  return make_case(GoldenMapping(*family, golden).request(family));
}

}  // namespace fusetune

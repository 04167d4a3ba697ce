#pragma once
// Small families and sweeps in a folder of the test's own.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "harness/spec/plan.hpp"

namespace fusetune::test {

/// A folder that goes away with the test.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "fusetune-spec-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
    return path_ / name;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The text with its one occurrence of `old_text` replaced.
inline std::string replaced(std::string text, const std::string& old_text,
                            const std::string& new_text) {
  const std::size_t at = text.find(old_text);
  EXPECT_NE(at, std::string::npos) << old_text;
  if (at != std::string::npos) text.replace(at, old_text.size(), new_text);
  return text;
}

/// The message of the UserError that an action throws, or "no error".
template <typename Action>
std::string error_of(const Action& action) {
  try {
    action();
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

/// Uses every part of a family.yaml. Its lines are quoted by the tests.
inline const char* const kFamily = R"yaml(family: toy
summary: a family for tests
rows: tokens
symbols:
  tokens: {kind: runtime}
  valid: {kind: runtime, when: tail == on, default: tokens, prove: [tokens, "floor_div(tokens, 2)", 0]}
  width: {kind: static, from_model: hidden / tp}
  heads: {kind: static, default: 2}
options:
  tail: {values: [off, on]}
  form: {values: [plain, wide], from_model: form}
  rounding: {values: [before, after], when: tail == on}
dtypes:
  act: {values: [bf16, fp16, fp32]}
  out: {values: [bf16, fp32], same_as: act}
derived:
  row_bytes: width * bytes(act)
  is_wide: form == wide
  same_form: "is_wide ? form : form"
  per_head: width / heads
  lanes: block_size / WAVE_SIZE
  all_bytes: tokens * row_bytes
tensors:
  x: {role: in, dtype: act, shape: [tokens, width], row_stride: runtime, align_bytes: [16, 8, 4, 2]}
  wide: {role: in, dtype: act, shape: [tokens, 2 * width], align_bytes: [16, 8, 4, 2], when: is_wide}
  weight: {role: in, dtype: act, shape: [width]}
  y: {role: out, dtype: out, shape: [tokens, heads, per_head], align_bytes: [16, 4], accept: exact}
  cache: {role: inout, dtype: out, shape: [tokens, width], when: tail == on, touched_read: 0, touched_write: (tokens - valid) * width * bytes(out)}
scalars:
  eps: {type: f32, default: 1.0e-6}
axes:
  block_size: {values: [64, 128, 256], range: [32, 1024]}
  vector_bytes: {values: [16, 8, 4, 2]}
  path: {values: [direct, staged]}
constraints:
  - {rule: block_size % WAVE_SIZE == 0, reason: a block is whole waves}
  - vector_bytes <= align_bytes(x)
supports:
  - {rule: width % heads == 0, reason: heads share the width evenly}
  - {rule: valid >= 0 && valid <= tokens, reason: valid lies in 0..tokens}
implementations:
  fused:
    role: tuned
    source: toy.hip
    tile_rows: block_size / 64
    launches:
      - {entry: toy, grid: ["min(CU_COUNT, ceil_div(tokens, 2))"], block: [block_size], lds_bytes: 4 * block_size}
      - {entry: tail, grid: [tokens - valid, heads], block: [64], arguments: [cache, wide, x, valid, eps], when: tail == on}
  simple:
    role: baseline
    source: simple.hip
    axes: [path]
    fixed: {block_size: 128}
    launches: [{entry: simple, grid: [tokens], block: [block_size]}]
  view:
    role: alternative
    axes: []
    when: form == plain
    launches: []
reference: toy
golden:
  toy_case:
    options: {tail: off}
    symbols: {width: W, heads: 2}
    tensors: {x: input}
)yaml";

inline std::shared_ptr<const Family> family_of(const Folder& folder, const std::string& text) {
  return load_family(folder.write("toy/family.yaml", text));
}

inline CaseRequest request_of(std::shared_ptr<const Family> family, std::int64_t width,
                              std::int64_t tokens) {
  CaseRequest request;
  request.family = std::move(family);
  request.statics["width"] = width;
  request.runtime["tokens"] = tokens;
  return request;
}

}  // namespace fusetune::test

#include "harness/compile/code_checks.hpp"

#include <gmock/gmock.h>

namespace fusetune {
namespace {

CompileRequest request() {
  CompileRequest request;
  request.target = parse_target("gfx90a");
  request.entries = {"foo", "bar"};
  request.kernarg_bytes = {24, 8};
  request.block_threads = 512;
  return request;
}

CodeFacts facts() {
  CodeFacts facts;
  for (const auto& [entry, bytes] : {std::pair{"foo", 24}, std::pair{"bar", 8}}) {
    KernelFacts& kernel = facts.kernels.emplace_back();
    kernel.entry = entry;
    kernel.kernarg_bytes = bytes;
    kernel.wave_size = 64;
    kernel.block_threads_max = 1024;
  }
  return facts;
}

TEST(CheckCode, AcceptsWhatWasAskedFor) {
  EXPECT_TRUE(check_code(request(), facts()).ok());
  CodeFacts unknown = facts();
  for (KernelFacts& kernel : unknown.kernels)
    kernel.kernarg_bytes = kernel.wave_size = kernel.block_threads_max = std::nullopt;
  EXPECT_TRUE(check_code(request(), unknown).ok()) << "what a target does not say is not checked";
}

TEST(CheckCode, RefusesOtherArgumentSizes) {
  CodeFacts changed = facts();
  changed.kernels[1].kernarg_bytes = 16;
  const Outcome outcome = check_code(request(), changed);
  EXPECT_EQ(outcome.status, Status::compile_error);
  EXPECT_THAT(outcome.message, testing::HasSubstr("entry bar: parameter list differs"));
  EXPECT_THAT(outcome.message, testing::HasSubstr("16 bytes"));
}

TEST(CheckCode, RefusesAnotherWaveSize) {
  CodeFacts changed = facts();
  changed.kernels[0].wave_size = 32;
  EXPECT_EQ(check_code(request(), changed).status, Status::compile_error);
}

TEST(CheckCode, RefusesBlocksThatNoKernelTakes) {
  CodeFacts changed = facts();
  changed.kernels[0].block_threads_max = 256;
  EXPECT_TRUE(check_code(request(), changed).ok()) << "bar may be the one with the large block";
  changed.kernels[1].block_threads_max = 256;
  const Outcome outcome = check_code(request(), changed);
  EXPECT_EQ(outcome.status, Status::resource_limit);
  EXPECT_THAT(outcome.message, testing::HasSubstr("512"));
}

}  // namespace
}  // namespace fusetune

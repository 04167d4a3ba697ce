#include "support.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>

#include "harness/base/files.hpp"
#include "harness/compile/signature.hpp"

namespace fusetune::test {

namespace fs = std::filesystem;

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  return files;
}

ProcessResult run_gxx(const fs::path& folder, std::string_view source,
                      const std::vector<std::string>& flags) {
  write_file_atomic(folder / "k.cpp", source);
  std::vector<std::string> command{"g++", "-std=c++17", "k.cpp"};
  command.insert(command.end(), flags.begin(), flags.end());
  return run_process(command, std::chrono::seconds(60), folder);
}

std::string shared_library(std::string_view source, const std::string& folder_name) {
  const TemporaryFolder temp("fusetune");
  const fs::path folder = temp / folder_name;
  const ProcessResult result =
      run_gxx(folder, source,
              {"-O1", "-g1", "-fPIC", "-shared", "-nostdlib", "-Wl,--build-id=sha1", "-o", "k.so"});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  return read_file(folder / "k.so");
}

Family toy_family() {
  Family family;
  family.name = "toy";
  const auto tensor = [&](const char* name, Role role) {
    TensorDecl declared;
    declared.name = name;
    declared.role = role;
    family.tensors.push_back(declared);
  };
  tensor("x", Role::in);
  tensor("y", Role::out);
  tensor("cache", Role::inout);
  const auto scalar = [&](const char* name, ScalarDecl::Type type) {
    ScalarDecl declared;
    declared.name = name;
    declared.type = type;
    family.scalars.push_back(declared);
  };
  scalar("eps", ScalarDecl::Type::f32);
  scalar("count", ScalarDecl::Type::i32);
  scalar("seed", ScalarDecl::Type::i64);
  LaunchDecl launch;
  launch.entry = "foo";
  launch.mark = {"toy/family.yaml", 12, 3};
  ImplementationDecl fused;
  fused.name = "fused";
  fused.launches.push_back(launch);
  family.implementations.push_back(fused);
  return family;
}

Case split_case(const Enum& zero_fill, std::int64_t tokens) {
  CaseRequest request;
  request.family = find_family("split_reshape_cat");
  request.statics = {{"nk", std::int64_t{2}},         {"nv", std::int64_t{4}},
                     {"hk", std::int64_t{128}},       {"hv", std::int64_t{128}},
                     {"layout", Enum{"interleaved"}}, {"zero_fill", zero_fill}};
  request.runtime = {{"tokens", tokens}};
  return make_case(request);
}

Variant fused(std::int64_t block_size) {
  return {"fused",
          {{"block_size", block_size},
           {"rows_per_iter", std::int64_t{2}},
           {"vector_bytes", std::int64_t{16}},
           {"mapping", Enum{"row"}},
           {"persistent", kOff},
           {"nontemporal", kOff}}};
}

CompileRequest toy_request(const std::string& kernel, const std::string& target) {
  using Kind = Argument::Kind;
  CompileRequest request;
  request.target = parse_target(target);
  request.entries = {"foo"};
  request.signatures = {{{Kind::tensor, "x"}, {Kind::tensor, "y"}, {Kind::symbol, "tokens"}}};
  request.kernarg_bytes = {24};
  request.block_threads = 256;
  request.macros = {{"FT_BLOCK_SIZE", "256"}};
  request.headers = {{"ft.h", "typedef uint4 chunk;\n"}};
  request.source = {"kernels/toy/toy.hip",
                    line_directive("kernels/toy/toy.hip", 1) + kernel +
                        signature_check(toy_family(), request.entries, request.signatures)};
  return request;
}

void ModuleTest::SetUp() {
  if (const std::string why = compiler_unavailable(parse_target(target_)); !why.empty())
    GTEST_SKIP() << why;
  std::string reason;
  compiler_ = load_compiler_module(platform_, &reason);
  ASSERT_NE(compiler_, nullptr) << reason;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos);
  return text.replace(at, from.size(), to);
}

Variant unfused() { return {"unfused", {{"block_size", std::int64_t{256}}}}; }

}  // namespace fusetune::test

#include <gmock/gmock.h>

#include <algorithm>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/compile/compiler.hpp"
#include "support.hpp"

namespace fusetune {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

using test::fused;
using test::kOff;
using test::kOn;
using test::split_case;
using test::unfused;

std::vector<std::string> header_names(const CompileRequest& request) {
  std::vector<std::string> names;
  for (const SourceText& header : request.headers) names.push_back(header.name);
  return names;
}

TEST(MakeCompileRequest, TakesSourceHeadersMacrosAndCheck) {
  const CompileRequest request =
      make_compile_request(split_case().geometry, fused(), parse_target("gfx90a"));
  EXPECT_EQ(request.target.name, "gfx90a");
  EXPECT_EQ(request.source.name, "kernels/split_reshape_cat/split_reshape_cat.hip");
  EXPECT_THAT(request.source.text,
              testing::StartsWith("#line 1 \"kernels/split_reshape_cat/split_reshape_cat.hip\"\n"));
  EXPECT_THAT(request.source.text, HasSubstr(read_file(project_root() / "kernels/split_reshape_cat/"
                                                                        "split_reshape_cat.hip")));
  EXPECT_THAT(request.source.text, HasSubstr("static_assert"));
  EXPECT_THAT(header_names(request), Contains("ft.h"));
  EXPECT_THAT(header_names(request), Contains("rows.h")) << "beside the source";
  EXPECT_THAT(request.macros, Contains(Pair("FT_BLOCK_SIZE", "256")));
  EXPECT_THAT(request.macros, Contains(Pair("FT_WAVE_SIZE", "64")));
  EXPECT_THAT(request.entries, ElementsAre("split_reshape_cat"));
  EXPECT_EQ(request.block_threads, 256);
  // Two inputs with their strides, four outputs, the row count.
  EXPECT_THAT(request.kernarg_bytes, ElementsAre(8 * 9));
}

TEST(MakeCompileRequest, LeavesOutLaunchesThatTheGeometryRulesOut) {
  const Target target = parse_target("gfx90a");
  EXPECT_THAT(make_compile_request(split_case(kOff).geometry, unfused(), target).entries,
              ElementsAre("copy_qkv", "copy_z", "copy_b", "copy_a"));
  const CompileRequest with_tail =
      make_compile_request(split_case(kOn).geometry, unfused(), target);
  EXPECT_THAT(with_tail.entries, Contains("zero_tail"));
  EXPECT_EQ(with_tail.signatures.size(), with_tail.entries.size());
  EXPECT_EQ(with_tail.kernarg_bytes.size(), with_tail.entries.size());
}

TEST(MakeCompileRequest, DependsOnGeometryAndVariantButNotOnTheTokenCount) {
  const Target target = parse_target("gfx90a");
  const std::string key =
      make_compile_request(split_case(kOff, 5).geometry, fused(), target).key("c");
  EXPECT_EQ(key, make_compile_request(split_case(kOff, 4096).geometry, fused(), target).key("c"));
  EXPECT_NE(key, make_compile_request(split_case(kOn, 5).geometry, fused(), target).key("c"));
  EXPECT_NE(key, make_compile_request(split_case().geometry, fused(512), target).key("c"));
  EXPECT_NE(key,
            make_compile_request(split_case().geometry, fused(), parse_target("gfx908")).key("c"));
}

TEST(MakeCompileRequest, RefusesWhatHasNothingToCompile) {
  const Target target = parse_target("gfx90a");
  EXPECT_THROW(make_compile_request(split_case().geometry, {"views", {}}, target), UserError);
  try {
    make_compile_request(split_case().geometry, {"fussed", {}}, target);
    FAIL() << "an unknown implementation";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'fused'"));
  }
}

/// A copy of the shipped family with another source, in a folder of its own.
class OwnSource : public testing::Test {
 protected:
  CompileRequest request_for(const std::string& source) {
    SourceReader reader;
    return request_for(source, reader);
  }
  CompileRequest request_for(const std::string& source, SourceReader& reader) {
    write_file_atomic(folder_ / "own.hip", source);
    auto family = std::make_shared<Family>(*split_case().geometry.family);
    family->directory = folder_.path();
    for (ImplementationDecl& implementation : family->implementations)
      if (implementation.name == "fused") implementation.source = folder_ / "own.hip";
    Geometry geometry = split_case().geometry;
    geometry.family = family;
    return make_compile_request(geometry, fused(), parse_target("gfx90a"), reader);
  }

  TemporaryFolder folder_{"fusetune"};
};

TEST_F(OwnSource, HeadersAreFoundThroughHeaders) {
  write_file_atomic(folder_ / "a.h", "  #  include \"b.h\" // nested\n#include \"a.h\"\n");
  write_file_atomic(folder_ / "b.h", "#include <c.h>\n");
  write_file_atomic(folder_ / "c.h", "not included by quotes\n");
  const CompileRequest request = request_for("#include \"a.h\"\n#include \"missing.h\"");
  EXPECT_THAT(header_names(request),
              ElementsAre("a.h", "b.h", "ft.h", "ft_floats.h", "ft_vectors.h"));
}

TEST_F(OwnSource, HeadersElsewhereAreNotRead) {
  write_file_atomic(folder_ / "inner" / "a.h", "#include \"../own.hip\"\n");
  write_file_atomic(folder_ / "other.h", "\n");
  const CompileRequest request =
      request_for("#include \"inner/a.h\"\n#include \"../other.h\"\n#include \"" +
                  (folder_ / "other.h").string() + "\"\n");
  EXPECT_THAT(header_names(request),
              ElementsAre("ft.h", "ft_floats.h", "ft_vectors.h", "inner/a.h"));
}

TEST_F(OwnSource, AChangedHeaderIsAnotherKey) {
  write_file_atomic(folder_ / "a.h", "1\n");
  const std::string before = request_for("#include \"a.h\"\n").key("c");
  EXPECT_EQ(before, request_for("#include \"a.h\"\n").key("c"));
  write_file_atomic(folder_ / "a.h", "2\n");
  EXPECT_NE(before, request_for("#include \"a.h\"\n").key("c"));
}

TEST_F(OwnSource, AReaderKeepsToWhatItReadFirst) {
  write_file_atomic(folder_ / "a.h", "1\n");
  SourceReader reader;
  const std::string before = request_for("#include \"a.h\"\n", reader).key("c");
  write_file_atomic(folder_ / "a.h", "2\n");
  EXPECT_EQ(before, request_for("#include \"a.h\"\n", reader).key("c"));
  EXPECT_NE(before, request_for("#include \"a.h\"\n").key("c"));
}

TEST_F(OwnSource, AMissingSourceIsTheUsersError) {
  auto family = std::make_shared<Family>(*split_case().geometry.family);
  for (ImplementationDecl& implementation : family->implementations)
    implementation.source = folder_ / "nothing.hip";
  Geometry geometry = split_case().geometry;
  geometry.family = family;
  EXPECT_THROW(make_compile_request(geometry, fused(), parse_target("gfx90a")), UserError);
}

}  // namespace
}  // namespace fusetune

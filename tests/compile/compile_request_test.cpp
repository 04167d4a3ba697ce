#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "harness/compile/compiler.hpp"

namespace fusetune {
namespace {

CompileRequest some_request() {
  CompileRequest request;
  request.target = parse_target("gfx90a");
  request.source = {"kernels/toy/toy.hip", "the source"};
  request.headers = {{"ft.h", "the header"}, {"rows.h", "another"}};
  request.macros = {{"FT_A", "1"}, {"FT_B", "2"}};
  request.entries = {"foo"};
  request.signatures = {{{Argument::Kind::tensor, "x"}, {Argument::Kind::row_stride, "x"}}};
  request.block_threads = 256;
  request.kernarg_bytes = {16};
  return request;
}

TEST(CompileRequestKey, EveryIngredientChangesIt) {
  const std::vector<std::function<void(CompileRequest&)>> changes{
      [](auto& r) { r.target = parse_target("gfx908"); },
      [](auto& r) { r.source.name = "kernels/toy/other.hip"; },
      [](auto& r) { r.source.text += " "; },
      [](auto& r) { r.source.text += "\xfe"; },
      [](auto& r) { r.source.text += "\xff"; },  // JSON alone would see the same as above
      [](auto& r) { r.headers[0].name = "ft2.h"; },
      [](auto& r) { r.headers[1].text = "changed"; },
      [](auto& r) { r.headers.pop_back(); },
      [](auto& r) { r.macros[0].first = "FT_C"; },
      [](auto& r) { r.macros[0].second = "2"; },
      [](auto& r) { r.macros.pop_back(); },
      [](auto& r) { r.entries[0] = "bar"; },
      [](auto& r) { r.signatures[0][0].kind = Argument::Kind::symbol; },
      [](auto& r) { r.signatures[0][0].name = "y"; },
      [](auto& r) { r.signatures[0].pop_back(); },
      [](auto& r) { r.block_threads = 512; },
      [](auto& r) { r.kernarg_bytes[0] = 24; },
  };
  std::set<std::string> keys{some_request().key("g++ 12"), some_request().key("g++ 13")};
  EXPECT_EQ(keys.size(), 2u) << "the compiler's identity is an ingredient";
  for (std::size_t i = 0; i < changes.size(); ++i) {
    CompileRequest request = some_request();
    changes[i](request);
    EXPECT_TRUE(keys.insert(request.key("g++ 12")).second) << "change " << i;
  }
}

TEST(CompileRequestKey, NothingElseChangesIt) {
  const std::string key = some_request().key("g++ 12");
  EXPECT_EQ(key.size(), 32u);
  EXPECT_EQ(key, some_request().key("g++ 12"));
  CompileRequest request = some_request();
  std::swap(request.headers[0], request.headers[1]);
  std::swap(request.macros[0], request.macros[1]);
  EXPECT_EQ(key, request.key("g++ 12"));
}

TEST(CompileRequestKey, BoundariesBetweenPartsCount) {
  CompileRequest a = some_request(), b = some_request();
  a.headers = {{"ft.h", "ab"}, {"rows.h", "c"}};
  b.headers = {{"ft.h", "a"}, {"rows.h", "bc"}};
  EXPECT_NE(a.key("g++"), b.key("g++"));
}

TEST(CompileRequest, SurvivesJson) {
  const CompileRequest request = some_request();
  const CompileRequest back = compile_request_from_json(Json::parse(to_json(request).dump()));
  EXPECT_EQ(back.target, request.target);
  EXPECT_EQ(back.source.text, request.source.text);
  EXPECT_EQ(back.headers.at(1).name, "rows.h");
  EXPECT_EQ(back.macros, request.macros);
  EXPECT_EQ(back.signatures.at(0).at(1).kind, Argument::Kind::row_stride);
  EXPECT_EQ(back.kernarg_bytes, request.kernarg_bytes);
  EXPECT_EQ(back.key("g++"), request.key("g++"));
}

TEST(CompileRequest, RefusesOtherJson) {
  EXPECT_THROW(compile_request_from_json(Json::object()), Json::exception);
  Json json = to_json(some_request());
  json["signatures"][0][0]["kind"] = "pointer";
  EXPECT_THROW(compile_request_from_json(json), std::invalid_argument);
}

}  // namespace
}  // namespace fusetune

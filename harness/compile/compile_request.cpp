#include <fmt/format.h>

#include <algorithm>

#include "harness/base/hash.hpp"
#include "harness/compile/compiler.hpp"
#include "harness/spec/target.hpp"

namespace fusetune {

namespace {

constexpr const char* kKeyVersion = "code-object-2";

constexpr std::pair<Argument::Kind, const char*> kKinds[] = {
    {Argument::Kind::tensor, "tensor"},
    {Argument::Kind::row_stride, "row_stride"},
    {Argument::Kind::symbol, "symbol"},
    {Argument::Kind::scalar, "scalar"},
};

Json argument_to_json(const Argument& argument) {
  for (const auto& [kind, name] : kKinds)
    if (kind == argument.kind) return {{"kind", name}, {"name", argument.name}};
  throw std::logic_error("unknown kind of argument");
}

Argument argument_from_json(const Json& json) {
  const std::string text = json.at("kind").get<std::string>();
  for (const auto& [kind, name] : kKinds)
    if (text == name) return {kind, json.at("name").get<std::string>()};
  throw std::invalid_argument(fmt::format("unknown kind of argument '{}'", text));
}

Json to_json(const SourceText& text) { return {{"name", text.name}, {"text", text.text}}; }

SourceText source_from_json(const Json& json) {
  return {json.at("name").get<std::string>(), json.at("text").get<std::string>()};
}

}  // namespace

std::string CompileRequest::key(std::string_view compiler_identity) const {
  // The order of headers and macros decides nothing.
  CompileRequest sorted = *this;
  std::sort(sorted.headers.begin(), sorted.headers.end(),
            [](const SourceText& a, const SourceText& b) { return a.name < b.name; });
  std::sort(sorted.macros.begin(), sorted.macros.end());
  // The texts are hashed as they are: they need not be UTF-8, where JSON would make different bad
  // bytes alike, and a key is made for every variant.
  std::string sources;
  const auto take_text = [&sources](SourceText& text) {
    sources += fmt::format("{} {}\n", text.text.size(), text.text);
    text.text.clear();
  };
  take_text(sorted.source);
  for (SourceText& header : sorted.headers) take_text(header);
  const std::string body =
      fusetune::to_json(sorted).dump(-1, ' ', false, Json::error_handler_t::replace);
  return hash_hex({kKeyVersion, compiler_identity, body, sources});
}

Json to_json(const CompileRequest& request) {
  Json headers = Json::array();
  for (const SourceText& header : request.headers) headers.push_back(to_json(header));
  Json signatures = Json::array();
  for (const std::vector<Argument>& signature : request.signatures) {
    Json arguments = Json::array();
    for (const Argument& argument : signature) arguments.push_back(argument_to_json(argument));
    signatures.push_back(std::move(arguments));
  }
  return {{"target", request.target.name},
          {"source", to_json(request.source)},
          {"headers", std::move(headers)},
          {"macros", request.macros},
          {"entries", request.entries},
          {"signatures", std::move(signatures)},
          {"block_threads", request.block_threads},
          {"kernarg_bytes", request.kernarg_bytes},
          {"exact", request.exact}};
}

CompileRequest compile_request_from_json(const Json& json) {
  CompileRequest request;
  request.target = parse_target(json.at("target").get<std::string>());
  request.source = source_from_json(json.at("source"));
  for (const Json& header : json.at("headers")) request.headers.push_back(source_from_json(header));
  request.macros = json.at("macros").get<decltype(request.macros)>();
  request.entries = json.at("entries").get<std::vector<std::string>>();
  for (const Json& signature : json.at("signatures")) {
    std::vector<Argument>& arguments = request.signatures.emplace_back();
    for (const Json& argument : signature) arguments.push_back(argument_from_json(argument));
  }
  request.block_threads = json.at("block_threads").get<std::int64_t>();
  request.kernarg_bytes = json.at("kernarg_bytes").get<std::vector<std::int64_t>>();
  request.exact = json.at("exact").get<bool>();
  return request;
}

}  // namespace fusetune

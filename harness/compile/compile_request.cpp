#include <fmt/format.h>

#include <algorithm>

#include "harness/base/hash.hpp"
#include "harness/compile/compiler.hpp"
#include "harness/spec/target.hpp"

namespace fusetune {

namespace {

constexpr const char* kKeyVersion = "code-object-4";

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

/// By one of their members, so that the order in a request decides nothing.
template <class T, class Member>
std::vector<const T*> sorted(const std::vector<T>& items, Member T::*member) {
  std::vector<const T*> pointers;
  for (const T& item : items) pointers.push_back(&item);
  std::sort(pointers.begin(), pointers.end(),
            [member](const T* a, const T* b) { return a->*member < b->*member; });
  return pointers;
}

void add_texts(const std::vector<const SourceText*>& texts, HashFields& fields) {
  for (const SourceText* text : texts) {
    fields.add(text->name);
    fields.add(text->text);
  }
  fields.add(texts.size());
}

}  // namespace

std::string CompileRequest::source_hash() const {
  std::string text = source.text;
  for (const SourceText& header : headers) text += "\n" + header.name + "\n" + header.text;
  return hash_hex(text);
}

std::string CompileRequest::key(std::string_view compiler_identity) const {
  // One is made for every variant: nothing is turned into JSON, and no text is copied twice. Texts
  // need not be UTF-8.
  HashFields fields;
  fields.add(kKeyVersion);
  fields.add(compiler_identity);
  fields.add(target.name);
  add_texts({&source}, fields);
  add_texts(sorted(headers, &SourceText::name), fields);
  for (const auto* macro : sorted(macros, &std::pair<std::string, std::string>::first)) {
    fields.add(macro->first);
    fields.add(macro->second);
  }
  fields.add(macros.size());
  for (const std::string& entry : entries) fields.add(entry);
  fields.add(entries.size());
  for (const std::vector<Argument>& signature : signatures) {
    for (const Argument& argument : signature) {
      fields.add(static_cast<std::uint64_t>(argument.kind));
      fields.add(argument.name);
    }
    fields.add(signature.size());
  }
  for (const std::int64_t bytes : kernarg_bytes) fields.add(static_cast<std::uint64_t>(bytes));
  fields.add(kernarg_bytes.size());
  fields.add(static_cast<std::uint64_t>(block_threads));
  fields.add(std::uint64_t{exact});
  return fields.hex();
}

Json texts_to_json(const CompileRequest& request) {
  Json headers = Json::array();
  for (const SourceText& header : request.headers) headers.push_back(to_json(header));
  return {{"source", to_json(request.source)}, {"headers", std::move(headers)}};
}

Json to_json_without_texts(const CompileRequest& request) {
  Json signatures = Json::array();
  for (const std::vector<Argument>& signature : request.signatures) {
    Json arguments = Json::array();
    for (const Argument& argument : signature) arguments.push_back(argument_to_json(argument));
    signatures.push_back(std::move(arguments));
  }
  return {{"target", request.target.name},
          {"macros", request.macros},
          {"entries", request.entries},
          {"signatures", std::move(signatures)},
          {"block_threads", request.block_threads},
          {"kernarg_bytes", request.kernarg_bytes},
          {"exact", request.exact}};
}

Json to_json(const CompileRequest& request) {
  Json json = to_json_without_texts(request);
  json.update(texts_to_json(request));
  return json;
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

#include "harness/compile/simulated_code.hpp"

#include "harness/base/hash.hpp"
#include "harness/base/json.hpp"

namespace fusetune {

namespace {

// First line: what it is, and the hash of what follows.
constexpr std::string_view kSimulatedMagic = "fusetune simulated code 1 ";
constexpr std::size_t kHashDigits = 32;

Json to_json(const std::vector<Argument>& arguments) {
  Json list = Json::array();
  for (const Argument& argument : arguments)
    list.push_back({static_cast<int>(argument.kind), argument.name});
  return list;
}

}  // namespace

std::string to_bytes(const SimulatedCode& code, std::int64_t size_bytes) {
  Json entries = Json::object();
  for (const auto& [name, arguments] : code.entries) entries[name] = to_json(arguments);
  std::string body =
      Json{{"entries", std::move(entries)}, {"macros", code.macros}, {"source", code.source_hash}}
          .dump() +
      "\n";
  // The same everywhere would hide that a byte was lost.
  std::string filling = hash_hex(body);
  while (static_cast<std::int64_t>(body.size()) < size_bytes) {
    filling = hash_hex(filling);
    body += filling;
  }
  return std::string(kSimulatedMagic) + hash_hex(body) + "\n" + body;
}

std::optional<SimulatedCode> simulated_code_from(std::string_view bytes) {
  const std::size_t head = kSimulatedMagic.size() + kHashDigits + 1;
  if (!bytes.starts_with(kSimulatedMagic) || bytes.size() < head) return std::nullopt;
  const std::string_view body = bytes.substr(head);
  SimulatedCode code;
  code.identity = hash_hex(body);
  if (bytes.substr(kSimulatedMagic.size(), kHashDigits) != code.identity) return std::nullopt;
  const Json json = Json::parse(body.substr(0, body.find('\n')));
  for (const auto& [name, arguments] : json.at("entries").items())
    for (const Json& argument : arguments)
      code.entries[name].push_back(
          {static_cast<Argument::Kind>(argument.at(0).get<int>()), argument.at(1)});
  code.macros = json.at("macros").get<decltype(code.macros)>();
  code.source_hash = json.at("source").get<std::string>();
  return code;
}

}  // namespace fusetune

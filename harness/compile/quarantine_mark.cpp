#include "harness/compile/quarantine_mark.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/base/hash.hpp"

namespace fusetune {

namespace fs = std::filesystem;

namespace {

constexpr const char* kMarkFile = "quarantine.json";

std::string mark_body(const Json& json) {
  return json.dump(1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

fs::path quarantine_folder(const fs::path& store, std::string_view code_identity) {
  const bool plain = !code_identity.empty() && code_identity.size() <= 64 &&
                     std::all_of(code_identity.begin(), code_identity.end(), [](char c) {
                       return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                     });
  if (!plain)
    throw std::invalid_argument(fmt::format("'{}' is not the identity of code", code_identity));
  return store / "quarantine" / code_identity;
}

void write_quarantine_mark(const fs::path& folder, const QuarantineMark& mark) {
  Json json = mark.about;
  json["status"] = std::string(to_string(mark.outcome.status));
  json["message"] = mark.outcome.message;
  json["keeps_from_running"] = mark.keeps_from_running;
  json = Json::parse(mark_body(json));  // messages may hold any bytes
  json["checksum"] = hash_hex(mark_body(json));
  write_file_atomic(folder / kMarkFile, mark_body(json) + "\n", Durability::process_kill);
}

std::optional<QuarantineMark> read_quarantine_mark(const fs::path& folder) {
  const fs::path file = folder / kMarkFile;
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  QuarantineMark mark;
  mark.outcome = {Status::worker_lost,
                  fmt::format("{} is damaged; it says why this code is not run, so delete its "
                              "folder to run it again",
                              file.string())};
  try {
    Json json = Json::parse(read_file(file));
    const Json checksum = json.at("checksum");
    json.erase("checksum");
    const auto status = status_from_string(json.at("status").get<std::string>());
    if (checksum != hash_hex(mark_body(json)) || !status) return mark;
    mark.outcome = {*status, json.at("message").get<std::string>()};
    mark.keeps_from_running = json.at("keeps_from_running").get<bool>();
    mark.about = std::move(json);
  } catch (const Json::exception&) {  // it keeps from running
  } catch (const UserError&) {
  }
  return mark;
}

}  // namespace fusetune

// Records from another store: a file is refused with a line, or read, merged and written again as
// it was; a store that refuses stays as it is, and one that takes in has no damaged row.
// Checksums keep a fuzzer out, so every input is tried as it is and with those that fit.

#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "fuzz/target.hpp"
#include "harness/base/error.hpp"
#include "harness/base/hash.hpp"
#include "harness/base/temporary_folder.hpp"
#include "harness/store/record_file.hpp"
#include "harness/store/record_store.hpp"
#include "harness/store/row_checksum.hpp"
#include "harness/tune/record_data.hpp"

namespace fusetune::fuzz {

namespace {

namespace fs = std::filesystem;

constexpr const char* kFile = "records.jsonl";
// Deeper than records may be, and no deeper than a writer's stack.
constexpr int kDepthMax = 40;

std::string sealed_line(Json line) {
  line.erase("checksum");
  line["checksum"] = hash_hex(stored_text(line));
  return stored_text(line) + "\n";
}

/// The object of a line; nothing where it is none.
Json object_of(std::string_view line) {
  const auto shallow = [](int depth, Json::parse_event_t, Json&) {
    if (depth > kDepthMax) throw std::invalid_argument("deep");
    return true;
  };
  try {
    Json object = Json::parse(line, shallow);
    return object.is_object() ? object : Json();
  } catch (const std::exception&) {
    return {};
  }
}

/// The same lines with the checksums of a file that fusetune wrote.
std::string sealed(std::string_view input) {
  std::string rest;
  std::int64_t lines = 0;
  while (!input.empty()) {
    const std::size_t end = std::min(input.find('\n'), input.size());
    const std::string_view line = input.substr(0, end);
    input.remove_prefix(std::min(end + 1, input.size()));
    const Json object = object_of(line);
    if (object.contains("fusetune_records")) continue;
    rest += object.is_object() ? sealed_line(object) : std::string(line) + "\n";
    ++lines;
  }
  return sealed_line({{"fusetune_records", 1},
                      {"harness_version", "0"},
                      {"lines", lines},
                      {"rest", hash_hex(rest)}}) +
         rest;
}

RecordSet parse(std::string_view text) { return parse_records(text, kFile, check_record_data); }

/// What all seeds know: a campaign, a run that was killed, a step and a death.
RecordSet some_records() {
  RecordSet set;
  set.campaigns.push_back({"c1", "sweep", {{"cases", 1}}, "2026"});
  set.runs.push_back({1, "r1", "c1", 7, "0.1", "2026", "", ""});
  StepRecord& step = set.steps.emplace_back();
  step.key = "k1";
  step.subject = "case | variant | host-w64";
  step.data = {{"facts", {{"kernels", Json::array()}, {"file_bytes", 1}}}};
  step.run = 1;
  set.deaths.push_back({"device", 7, "died", 11, 0, "case", "words", 1, "2026"});
  return set;
}

class Store {
 public:
  Store() : store_(RecordStore::open(folder_.path(), true)) {
    store_.on_damage([](const std::string& what) { require(false, what); });
  }
  std::string text() const { return records_text(store_.everything()); }
  RecordStore::MergeResult merge(const RecordSet& set) { return store_.merge({{kFile, set}}); }

  /// What is there now comes in again, and changes nothing.
  void require_known(const RecordSet& set) {
    const std::string before = text();
    const RecordStore::MergeResult merged = merge(set);
    require(merged.conflicts.empty() && merged.runs + merged.steps + merged.deaths == 0,
            "what was merged is not known");
    require(text() == before, "a merge of what is known changes the store");
    require(store_.integrity().empty(), "a store that is not sound");
  }

 private:
  TemporaryFolder folder_{"fusetune-fuzz", ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ""};
  RecordStore store_;
};

/// Of what was there only a run may change: its end may be told. The second text has the first's
/// lines but for the header, and whose run it was.
void require_kept(std::string_view before, std::string_view after) {
  for (before.remove_prefix(before.find('\n') + 1); !before.empty();) {
    std::string_view line = before.substr(0, before.find('\n') + 1);
    before.remove_prefix(line.size());
    if (const std::size_t known = line.find("\"pid\":7,\"record\":\"run\""); known < line.size())
      line.remove_prefix(known);
    require(after.find(line) != std::string_view::npos, "a merge changes what was there");
  }
}

void check(std::string_view input) {
  RecordSet set;
  try {
    set = parse(input);
  } catch (const UserError& error) {
    return require_place(error.what(), kFile);
  }
  const std::string text = records_text(set);
  require(records_text(parse(text)) == text, "other records when they are read again");
  Store empty;
  require(empty.merge(set).conflicts.empty(), "a file in conflict with itself");
  require(empty.text() == text, "an export of other records than were merged");
  empty.require_known(set);
  Store full;
  full.merge(some_records());
  const std::string before = full.text();
  if (!full.merge(set).conflicts.empty())
    return require(full.text() == before, "a refused merge changes the store");
  full.require_known(set);
  require_kept(before, full.text());
}

}  // namespace

void run(std::string_view input) {
  check(input);
  check(sealed(input));
}

}  // namespace fusetune::fuzz

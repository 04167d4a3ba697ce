#include "harness/store/record_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/base/hash.hpp"
#include "harness/store/row_checksum.hpp"

namespace fusetune {

namespace {

constexpr std::int64_t kFileFormat = 1;
constexpr std::uintmax_t kFileBytesMax = std::uintmax_t{2} << 30;
constexpr std::size_t kLineBytesMax = std::size_t{64} << 20;
// Deeper than any record; a parser's and a writer's stack must not be a stranger's to fill.
constexpr int kDepthMax = 32;
constexpr std::size_t kWordMax = 128;

std::string with_checksum(Json line) {
  line["checksum"] = hash_hex(stored_text(line));
  return stored_text(line) + "\n";
}

Json line_of(const CampaignRecord& campaign) {
  return {{"record", "campaign"},
          {"key", campaign.key},
          {"name", campaign.name},
          {"plan", campaign.plan},
          {"created", campaign.created}};
}

Json line_of(const RunRecord& run) {
  Json line = to_json(run);
  line["record"] = "run";
  line.erase("run");  // its number is of one store alone
  return line;
}

/// Of a step or a death.
template <typename Record>
Json line_of(const char* what, const Record& record, const std::string& run) {
  Json line = to_json(record);
  line["record"] = what;
  line["run"] = run;
  return line;
}

/// Parses within the depth that records have.
Json parse_line(std::string_view line) {
  const auto shallow = [](int depth, Json::parse_event_t, Json&) {
    if (depth > kDepthMax) throw std::invalid_argument("it is nested too deeply");
    return true;
  };
  return Json::parse(line, shallow);
}

/// The fields of one line, each to be asked for exactly once.
class Line {
 public:
  explicit Line(std::string_view text) : json_(parse_line(text)) {
    if (!json_.is_object()) throw std::invalid_argument("it is no object");
    // One way to write it: no key twice, no number in another form, nothing between.
    if (stored_text(json_) != text) throw std::invalid_argument("it is not as fusetune writes it");
    const Json checksum = take("checksum");
    if (checksum != hash_hex(stored_text(json_)))
      throw std::invalid_argument("its checksum does not fit");
  }

  Json take(const char* name) {
    const auto found = json_.find(name);
    if (found == json_.end()) throw std::invalid_argument(fmt::format("it has no '{}'", name));
    Json value = std::move(*found);
    json_.erase(found);
    return value;
  }
  std::string text(const char* name) {
    const Json value = take(name);
    if (!value.is_string()) throw std::invalid_argument(fmt::format("'{}' is no text", name));
    return value.get<std::string>();
  }
  /// Names and times, which are printed among others.
  std::string line(const char* name) {
    std::string value = text(name);
    if (std::any_of(value.begin(), value.end(),
                    [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; }))
      throw std::invalid_argument(fmt::format("'{}' is more than a line", name));
    return value;
  }
  /// Keys and uids: they may be compared, printed and shortened, and lead nowhere.
  std::string word(const char* name) {
    std::string value = text(name);
    const bool plain = !value.empty() && value.size() <= kWordMax &&
                       std::all_of(value.begin(), value.end(), [](char c) {
                         return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
                       });
    if (!plain) throw std::invalid_argument(fmt::format("'{}' is no key", name));
    return value;
  }
  std::int64_t integer(const char* name) {
    const Json value = take(name);
    const bool fits = value.is_number_integer() &&
                      (!value.is_number_unsigned() || value.get<std::uint64_t>() <= INT64_MAX);
    if (!fits) throw std::invalid_argument(fmt::format("'{}' is no whole number", name));
    return value.get<std::int64_t>();
  }
  int small_integer(const char* name) {
    const std::int64_t value = integer(name);
    if (value < -65536 || value > 65536)
      throw std::invalid_argument(fmt::format("'{}' is out of range", name));
    return static_cast<int>(value);
  }
  /// As it is written: 5.0, not 5. SQLite does not tell -0 from 0.
  double duration(const char* name) {
    const Json value = take(name);
    if (!value.is_number_float() || !std::isfinite(value.get<double>()) ||
        std::signbit(value.get<double>()))
      throw std::invalid_argument(fmt::format("'{}' is no duration", name));
    return value.get<double>();
  }
  void end() const {
    if (!json_.empty())
      throw std::invalid_argument(fmt::format("'{}' is not known", json_.begin().key()));
  }

 private:
  Json json_;
};

class Reader {
 public:
  explicit Reader(const std::function<void(const StepRecord&)>& check_data)
      : check_data_(check_data) {}

  void header(std::string_view text, std::string_view rest) {
    Line line(text);
    if (line.integer("fusetune_records") != kFileFormat)
      throw std::invalid_argument(
          fmt::format("this fusetune reads records of format {}", kFileFormat));
    lines_ = line.integer("lines");
    line.line("harness_version");
    if (line.text("rest") != hash_hex(rest))
      throw std::invalid_argument(
          "the checksum of the lines behind it does not fit: they were "
          "damaged, or cut short");
    line.end();
  }

  void record(std::string_view text) {
    Line line(text);
    ++seen_;
    const std::string what = line.text("record");
    if (what == "campaign")
      set_.campaigns.push_back(campaign(line));
    else if (what == "run")
      add_run(line);
    else if (what == "step")
      add_step(line);
    else if (what == "death")
      add_death(line);
    else
      throw std::invalid_argument("it is no record");
    line.end();
  }

  RecordSet end() {
    if (seen_ != lines_)
      throw std::invalid_argument(fmt::format("{} lines instead of {}", seen_, lines_));
    return std::move(set_);
  }

 private:
  CampaignRecord campaign(Line& line) {
    CampaignRecord record{line.word("key"), line.text("name"), line.take("plan"),
                          line.line("created")};
    if (!campaigns_.insert(record.key).second)
      throw std::invalid_argument("its campaign was there before");
    return record;
  }

  void add_run(Line& line) {
    RunRecord run;
    run.id = std::ssize(set_.runs) + 1;
    run.uid = line.word("uid");
    run.campaign = line.word("campaign");
    run.pid = line.integer("pid");
    run.harness_version = line.line("harness_version");
    run.started = line.line("started");
    run.ended = line.line("ended");
    run.how = line.line("how");
    if (campaigns_.count(run.campaign) == 0)
      throw std::invalid_argument("its campaign is not in the file");
    if (!runs_.emplace(run.uid, run.id).second)
      throw std::invalid_argument("its run was there before");
    set_.runs.push_back(std::move(run));
  }

  std::int64_t run_of(Line& line) const {
    const auto run = runs_.find(line.word("run"));
    if (run == runs_.end()) throw std::invalid_argument("its run is not in the file");
    return run->second;
  }

  void add_step(Line& line) {
    StepRecord step;
    step.kind = parse_step_kind(line.text("kind"));
    step.key = line.word("key");
    step.subject = line.line("subject");
    const std::string name = line.text("status");
    const auto status = status_from_string(name);
    if (!status) throw std::invalid_argument("its status is not known");
    step.status = *status;
    step.message = line.text("message");
    step.data = line.take("data");
    step.wall_ms = line.duration("wall_ms");
    step.run = run_of(line);
    step.finished = line.line("finished");
    if (!steps_.emplace(step.kind, step.key).second)
      throw std::invalid_argument("its step was there before");
    check_data_(step);
    set_.steps.push_back(std::move(step));
  }

  void add_death(Line& line) {
    WorkerDeath record;
    record.role = line.line("role");
    record.pid = line.integer("pid");
    record.how = line.line("how");
    record.signal = line.small_integer("signal");
    record.exit_code = line.small_integer("exit_code");
    record.subject = line.line("subject");
    record.last_output = line.text("last_output");
    record.run = run_of(line);
    record.at = line.line("at");
    if (!deaths_.insert(record).second) throw std::invalid_argument("its death was there before");
    set_.deaths.push_back(std::move(record));
  }

  const std::function<void(const StepRecord&)>& check_data_;
  RecordSet set_;
  std::set<std::string> campaigns_;
  std::map<std::string, std::int64_t> runs_;
  std::set<std::pair<StepRecord::Kind, std::string>> steps_;
  std::set<WorkerDeath> deaths_;
  std::int64_t lines_ = 0, seen_ = 0;
};

std::string read_limited(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error))
    throw UserError(fmt::format("there is no {}", file.string()));
  if (!std::filesystem::is_regular_file(file, error))
    throw UserError(fmt::format("{} is no file of records", file.string()));
  if (std::filesystem::file_size(file, error) > kFileBytesMax || error)
    throw UserError(
        fmt::format("{} is larger than {} GiB; export it in parts, with --kind or --run",
                    file.string(), kFileBytesMax >> 30));
  return read_file(file);
}

}  // namespace

std::string records_text(const RecordSet& set) {
  std::map<std::int64_t, std::string> uids;
  for (const RunRecord& run : set.runs) uids[run.id] = run.uid;
  std::string rest;
  for (const CampaignRecord& campaign : set.campaigns) rest += with_checksum(line_of(campaign));
  for (const RunRecord& run : set.runs) rest += with_checksum(line_of(run));
  for (const StepRecord& step : set.steps)
    rest += with_checksum(line_of("step", step, uids.at(step.run)));
  for (const WorkerDeath& death : set.deaths)
    rest += with_checksum(line_of("death", death, uids.at(death.run)));
  return with_checksum(Json{{"fusetune_records", kFileFormat},
                            {"harness_version", harness_version()},
                            {"lines", std::count(rest.begin(), rest.end(), '\n')},
                            {"rest", hash_hex(rest)}}) +
         rest;
}

RecordSet parse_records(std::string_view text, const std::string& name,
                        const std::function<void(const StepRecord&)>& check_data) {
  Reader reader(check_data);
  for (int number = 1;; ++number) {
    try {
      if (text.empty() && number > 1) return reader.end();
      const std::size_t end = text.find('\n');
      if (end == std::string_view::npos) throw std::invalid_argument("it does not end");
      if (end > kLineBytesMax) throw std::invalid_argument("it is too long");
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(end + 1);
      number == 1 ? reader.header(line, text) : reader.record(line);
    } catch (const std::exception& error) {
      throw UserError(
          fmt::format("{}:{}: no line of a record export: {}; nothing was taken from it", name,
                      number, error.what()));
    }
  }
}

RecordSet records_from_file(const std::filesystem::path& file,
                            const std::function<void(const StepRecord&)>& check_data) {
  return parse_records(read_limited(file), file.string(), check_data);
}

}  // namespace fusetune

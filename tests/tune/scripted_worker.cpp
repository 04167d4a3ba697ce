#include "tests/tune/scripted_worker.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

#include "harness/base/hash.hpp"
#include "harness/compile/code_store.hpp"
#include "harness/measure/race.hpp"
#include "harness/process/step_note.hpp"
#include "harness/process/worker_pool.hpp"
#include "harness/tune/traffic.hpp"

namespace fusetune::test {

namespace {

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::uint64_t number_of(const std::string& text) {
  return std::stoull(hash_hex(text).substr(0, 8), nullptr, 16);
}

void append_line(const std::string& what) {
  std::ofstream(setting(kScriptLog), std::ios::app) << what << '\n';
}

bool log_holds(const std::string& words) {
  std::ifstream stream(setting(kScriptLog));
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  return text.find(words) != std::string::npos;
}

/// A job of the log, from its beginning to its end.
class Logged {
 public:
  explicit Logged(std::string what) : what_(std::move(what)) {
    append_line("begin " + what_);
    const std::string seed = setting(kScriptSeed);
    if (!seed.empty() && seed != "0")
      std::this_thread::sleep_for(std::chrono::milliseconds(number_of(seed + what_) % 15));
  }
  ~Logged() { append_line("end " + what_); }
  Logged(const Logged&) = delete;
  Logged& operator=(const Logged&) = delete;

 private:
  std::string what_;
};

Json compile(const Json& request) {
  if (request.at("op") == "identify") return Json{{"identity", "scripted compiler 1"}};
  const std::string key = request.at("key");
  const Logged logged("compile " + key);
  CompileRequest what = asked_to_compile(request);
  for (int tries = 0; tries < 4000; ++tries) {
    const bool held = std::any_of(what.macros.begin(), what.macros.end(), [](const auto& macro) {
      return macro.first + "=" + macro.second == setting(kScriptHold);
    });
    if (!held || log_holds("end race")) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  // The hint changes no code here.
  std::erase_if(what.macros, [](const auto& macro) { return macro.first == "FT_NONTEMPORAL"; });
  CompileResult result;
  result.code = to_json(what).dump();
  result.code_identity = hash_hex(result.code);
  for (const std::string& entry : what.entries) result.facts.kernels.emplace_back().entry = entry;
  CodeStore(request.at("store").get<std::string>()).put(key, result);
  return Json{{"status", "ok"}};
}

Json prove(const Json& request) {
  const std::string case_key =
      case_from_json(request.at("shared").front().at("case")).geometry.key();
  const Logged logged("proof " + case_key + request.at("variant").dump());
  ProofReport report;
  report.checks = {{"exact", 1, "elements"}};
  report.mode = "fast";
  if (request.at("variant").dump().find("1024") != std::string::npos) {
    report.outcome = {Status::verification_failed, "as the script has it"};
    report.failed_check = "exact";
  }
  ProofSum sum;
  sum.add(case_key, report);
  return answer_of(sum.take());
}

Json race(const Json& request) {
  const Logged logged("race " + case_from_json(request.at("case")).key());
  RaceResult result;
  result.data = "hot";
  result.stopped_by = "epochs";
  std::int32_t arm = 0;
  for (const Json& item : request.at("arms")) {
    const double us = 10 + static_cast<double>(number_of(item.at("variant").dump()) % 50);
    for (std::int32_t epoch = 0; epoch < 3; ++epoch)
      for (std::int32_t round = 0; round < 3; ++round)
        result.samples.push_back({arm, epoch, round, 10, us});
    result.probe_us.push_back(us);
    ++arm;
  }
  return to_json(result);
}

Json trace(const Json& request) {
  const Logged logged("trace " + request.at("variant").dump());
  return Json{
      {"status", "ok"}, {"message", ""}, {"traffic", to_json(TracedTraffic{})}, {"retire", false}};
}

}  // namespace

int run_scripted_worker(int argc, char** argv) {
  int in_fd = -1;
  int out_fd = -1;
  int note_fd = -1;
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], "--in-fd") == 0) in_fd = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--out-fd") == 0) out_fd = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--note-fd") == 0) note_fd = std::atoi(argv[i + 1]);
  }
  NotePage note(note_fd);
  return serve_worker(in_fd, out_fd, note, [](const Json& request) {
    const std::string op = request.at("op");
    if (op == "prove") return prove(request);
    if (op == "race") return race(request);
    if (op == "trace") return trace(request);
    return compile(request);
  });
}

}  // namespace fusetune::test

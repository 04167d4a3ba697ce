#include "harness/cli/quarantine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <system_error>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/cli/command_line.hpp"
#include "harness/compile/quarantine_mark.hpp"
#include "harness/process/subprocess.hpp"
#include "harness/tune/compile_stage.hpp"

namespace fusetune {

namespace fs = std::filesystem;

namespace {

struct Found {
  std::size_t geometry = 0, variant = 0;
  Outcome outcome;
  std::string case_key;
  bool while_timed = false;
};

/// What ended a worker, or would have: everything else is seen and told by a check.
bool ends_a_worker(Status status) {
  return status == Status::kernel_timeout || status == Status::kernel_fault ||
         status == Status::worker_lost;
}

std::vector<Found> found_in(const Plan& plan, const Campaign& campaign) {
  std::vector<Found> found;
  for (const ProvedVariant& proved : campaign.proofs.variants)
    if (ends_a_worker(proved.outcome.status) && !proved.failed_case.empty())
      found.push_back({proved.geometry, proved.variant, proved.outcome, proved.failed_case, false});
  for (const CaseRace& race : campaign.races.races) {
    const Case& which = plan.geometries[race.geometry].cases[race.planned_case].which;
    for (const Disproof& disproof : race.result.disproved)
      if (ends_a_worker(disproof.outcome.status))
        found.push_back({race.geometry, race.arms[static_cast<std::size_t>(disproof.arm)],
                         disproof.outcome, which.key(), true});
  }
  return found;
}

/// Identities of code that some variant was proved with.
std::set<std::string> proved_code(const Campaign& campaign, const Plan& plan) {
  std::set<std::string> identities;
  for (const ProvedVariant& proved : campaign.proofs.variants)
    if (proved.outcome.ok())
      if (const CompiledUnit* unit =
              campaign.compiled.find(proved.geometry, proved.variant, plan.target);
          unit != nullptr && !unit->code.code_identity.empty())
        identities.insert(unit->code.code_identity);
  return identities;
}

/// What failed before and was proved when it was retried is free again.
void release_proved(const Plan& plan, const Campaign& campaign, const fs::path& store) {
  for (const std::string& identity : proved_code(campaign, plan)) {
    const fs::path folder = quarantine_folder(store, identity);
    const std::optional<QuarantineMark> mark = read_quarantine_mark(folder);
    std::error_code ignored;
    if (mark && mark->keeps_from_running) fs::remove_all(folder, ignored);
  }
}

/// A name of a family or a header as the name of a file: no separators, no leading dot.
std::string file_name(const std::string& name) {
  std::string clean = name;
  for (char& c : clean) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '_' || c == '-' || c == '.';
    if (!plain) c = '_';
  }
  if (clean.empty() || clean.front() == '.') clean.insert(0, 1, '_');
  return clean.substr(0, 100);
}

/// Regular files alone: what a link leads to is not this family's.
void copy_folder(const fs::path& from, const fs::path& to, const std::string& extension = "") {
  fs::create_directories(to);
  for (const auto& entry : fs::directory_iterator(from))
    if (entry.is_regular_file() && !entry.is_symlink() &&
        (extension.empty() || entry.path().extension() == extension))
      fs::copy_file(entry.path(), to / entry.path().filename(),
                    fs::copy_options::overwrite_existing);
}

/// All that a program is told to compile and prove from, so that the folder stands by itself.
void write_root(const fs::path& root, const Family& family) {
  const fs::path project = project_root();
  copy_folder(project / "kernels" / "common", root / "kernels" / "common");
  copy_folder(family.directory, root / "kernels" / family.name);
  copy_folder(project / "configs", root / "configs");
  copy_folder(project / "harness" / "device" / "host", root / "harness" / "device" / "host", ".h");
}

class ReproFolder {
 public:
  ReproFolder(const Plan& plan, const Campaign& campaign, const GlobalOptions& global,
              const Found& found)
      : plan_(plan), campaign_(campaign), global_(global), found_(found) {}

  void write(const fs::path& folder) const {
    const PlannedGeometry& planned = plan_.geometries[found_.geometry];
    const CompileRequest request =
        make_compile_request(planned.geometry, planned.variants[found_.variant], plan_.target);
    write_file_atomic(folder / "source.hip", request.source.text, Durability::process_kill);
    for (const SourceText& header : request.headers)
      write_file_atomic(folder / "headers" / file_name(header.name), header.text,
                        Durability::process_kill);
    write_file_atomic(folder / "request.json", fusetune::to_json(request).dump(1) + "\n",
                      Durability::process_kill);
    write_file_atomic(folder / "log.txt", unit().code.log, Durability::process_kill);
    write_root(folder / "root", *planned.geometry.family);
    const fs::path script = folder / "reproduce";
    write_file_atomic(script, script_text(), Durability::process_kill);
    fs::permissions(script, fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec,
                    fs::perm_options::add);
    // Last: a folder with a mark is complete.
    write_quarantine_mark(folder, mark());
  }

 private:
  const CompiledUnit& unit() const {
    return *campaign_.compiled.find(found_.geometry, found_.variant, plan_.target);
  }
  const Variant& variant() const {
    return plan_.geometries[found_.geometry].variants[found_.variant];
  }
  const Family& family() const { return *plan_.geometries[found_.geometry].geometry.family; }
  std::string variant_key() const { return variant().key(family()); }

  QuarantineMark mark() const {
    QuarantineMark mark;
    mark.outcome = found_.outcome;
    // What was proved all the same must not be lost to other launches of its code.
    mark.keeps_from_running = !found_.while_timed && variant().implementation == family().tuned &&
                              proved_code(campaign_, plan_).count(unit().code.code_identity) == 0;
    mark.about = {{"code_identity", unit().code.code_identity},
                  {"case", found_.case_key},
                  {"variant", variant_key()},
                  {"target", plan_.target.name},
                  {"device", plan_.sweep.device},
                  {"compiler", campaign_.compiled.compilers.at(plan_.target.name)},
                  {"seed", global_.engine.seed},
                  {"found", found_.while_timed ? "while it was timed" : "while it was proved"},
                  {"sweep", plan_.sweep.file.string()},
                  {"harness_version", harness_version()}};
    return mark;
  }

  std::string script_text() const {
    const EngineOptions& engine = global_.engine;
    const char* compiler = std::getenv("CXX");
    std::string text =
        "#!/bin/sh\n# Shows the failure of quarantine.json again, with the sources beside it and "
        "a store of its own.\n# FUSETUNE may name another fusetune.\ncd \"$(dirname \"$0\")\" || "
        "exit 64\n";
    if (compiler != nullptr && *compiler != '\0')
      text += fmt::format("export CXX={}\n", shell_word(compiler));
    text += "export FUSETUNE_ROOT=\"$PWD/root\" FUSETUNE_KERNEL_PATH=\n";
    if (found_.while_timed)
      text +=
          "# It was right when it was proved and failed while it was timed: this proves it. To "
          "time "
          "it,\n# tune the sweep that quarantine.json names again with another --store.\n";
    // A path may hold whatever a shell would read as its own.
    text += fmt::format(
        "[ -n \"${{FUSETUNE:-}}\" ] || FUSETUNE={}\n"
        "exec \"$FUSETUNE\" --store store --jobs 1 --seed {} --kernel-timeout-s {} "
        "--exact-rows {} --retry-failed \\\n  verify {} --variant {} --device {}\n",
        shell_word(self_path().string()), engine.seed, engine.kernel_timeout_s,
        engine.exact_rows_max, shell_word(found_.case_key), shell_word(variant_key()),
        shell_word(plan_.sweep.device));
    return text;
  }

  const Plan& plan_;
  const Campaign& campaign_;
  const GlobalOptions& global_;
  const Found& found_;
};

}  // namespace

std::vector<fs::path> quarantine_failures(const Plan& plan, const Campaign& campaign,
                                          const GlobalOptions& global) {
  release_proved(plan, campaign, global.engine.store);
  std::set<fs::path> folders;
  for (const Found& found : found_in(plan, campaign)) {
    const CompiledUnit* unit = campaign.compiled.find(found.geometry, found.variant, plan.target);
    if (unit == nullptr || unit->code.code_identity.empty()) continue;
    const fs::path folder = quarantine_folder(global.engine.store, unit->code.code_identity);
    if (!folders.insert(folder).second || read_quarantine_mark(folder)) continue;
    try {
      ReproFolder(plan, campaign, global, found).write(folder);
    } catch (const fs::filesystem_error& error) {
      throw UserError(fmt::format("cannot write {}: {}", folder.string(), error.what()));
    }
  }
  return {folders.begin(), folders.end()};
}

}  // namespace fusetune

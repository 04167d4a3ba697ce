// The program: a command line becomes a command, and whatever ends it an exit code.

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <string>
#include <system_error>
#include <vector>

#include "harness/arguments.hpp"
#include "harness/base/error.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/interrupt.hpp"
#include "harness/process/fd.hpp"

namespace fusetune {
namespace {

/// "A subcommand is required" is no help to who misspelt one.
void require_known_command(const CLI::App& app) {
  const std::vector<std::string> words = app.remaining();
  if (!app.get_subcommands().empty() || words.empty() || words.front().starts_with('-')) return;
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    if (!command->get_group().empty()) names.push_back(command->get_name());
  throw UserError(unknown_name("command", words.front(), names));
}

int run(int argc, char** argv) {
  open_standard_streams();
  Program program;
  program.global.terminal = Terminal::detect();
  if (argc > 0 && *argv[0] != '\0') program.global.program = argv[0];
  CLI::App app("fusetune: tunes and proves fused HIP kernels, with or without a GPU", "fusetune");
  app.set_version_flag("--version", version_text());
  add_commands(app, program);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError))
      require_known_command(app);
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::usage);
  }
  if (program.worker_role.empty()) catch_interrupts();
  return static_cast<int>(program.run());
}

int tell_bug(const std::exception& error) {
  std::fprintf(
      stderr, "internal error: %s\nThis is a bug of fusetune; please report it with the command.\n",
      error.what());
  return static_cast<int>(ExitCode::internal);
}

}  // namespace
}  // namespace fusetune

int main(int argc, char** argv) {
  try {
    const int code = fusetune::run(argc, argv);
    if (std::fflush(stdout) != 0) throw std::system_error(errno, std::generic_category());
    return code;
  } catch (const fusetune::UserError& error) {
    std::fputs(fusetune::wrapped(std::string("error: ") + error.what(), 2).c_str(), stderr);
    return static_cast<int>(fusetune::ExitCode::usage);
  } catch (const std::system_error& error) {
    if (std::ferror(stdout) == 0) return fusetune::tell_bug(error);
    // What was to be told is lost; what was done is recorded.
    std::fprintf(stderr, "error: cannot write the output: %s\n", error.code().message().c_str());
    return static_cast<int>(fusetune::ExitCode::usage);
  } catch (const std::exception& error) {
    return fusetune::tell_bug(error);
  }
}

#include "bridges/worker_entry.hpp"

#include <charconv>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

#include "harness/base/error.hpp"
#include "harness/base/status.hpp"
#include "harness/process/fd.hpp"
#include "harness/worker/worker.hpp"

namespace fusetune::bridge {

namespace {

int number_of(std::string_view text) {
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    throw std::invalid_argument("a worker is given file descriptors by number");
  return number;
}

}  // namespace

std::optional<int> serve_as_worker(int argc, char** argv) {
  constexpr int kRole = 2;
  if (argc <= kRole || std::string_view(argv[1]) != "worker") return std::nullopt;
  open_standard_streams();
  WorkerLinks links;
  for (int i = kRole + 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--in-fd") links.in_fd = number_of(argv[i + 1]);
    if (name == "--out-fd") links.out_fd = number_of(argv[i + 1]);
    if (name == "--note-fd") links.note_fd = number_of(argv[i + 1]);
    if (name == "--scratch") links.scratch = argv[i + 1];
  }
  return run_worker(argv[kRole], links);
}

int serve_or_run(int argc, char** argv, int (*run)(int, char**)) {
  if (const auto code = serve_as_worker(argc, argv)) return *code;
  try {
    return run(argc, argv);
  } catch (const UserError& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return static_cast<int>(ExitCode::usage);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "internal error: %s\n", error.what());
    return static_cast<int>(ExitCode::internal);
  }
}

}  // namespace fusetune::bridge

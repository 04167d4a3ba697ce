#include "tests/process/proc_view.hpp"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

namespace fusetune {

namespace fs = std::filesystem;

namespace {

/// State letter and parent of a process; '-' when there is none.
std::pair<char, pid_t> state_and_parent(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string line;
  if (!std::getline(file, line)) return {'-', 0};
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  char state = '-';
  pid_t parent = 0;
  fields >> state >> parent;
  return {state, parent};
}

}  // namespace

std::size_t open_fd_count() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

int child_count() {
  int count = 0;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (state_and_parent(name).second == ::getpid()) ++count;
  }
  return count;
}

bool is_running(pid_t pid) {
  const char state = state_and_parent(std::to_string(pid)).first;
  return state != '-' && state != 'Z' && state != 'X';
}

bool ends_soon(pid_t pid) {
  for (int i = 0; i < 500 && is_running(pid); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return !is_running(pid);
}

}  // namespace fusetune

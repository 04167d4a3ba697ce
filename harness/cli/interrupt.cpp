#include "harness/cli/interrupt.hpp"

#include <unistd.h>
#include <csignal>

namespace fusetune {

namespace {

volatile std::sig_atomic_t signals_seen = 0;

void on_signal(int number) {
  if (signals_seen != 0) ::_exit(128 + number);
  signals_seen = 1;
}

}  // namespace

void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return signals_seen != 0; }

}  // namespace fusetune

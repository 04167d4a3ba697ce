#pragma once
// Ctrl-C and SIGTERM as a question that the engine asks: a first signal ends the run in order, a
// second one at once.

namespace fusetune {

/// Installs the handlers for this process.
void catch_interrupts();
/// True after the first signal.
bool interrupted();

}  // namespace fusetune

// Signals, for commands that have nothing to finish when they are stopped.
#pragma once

namespace base {

// From now on SIGINT and SIGTERM end the process with exit code 130 and one line (as process 1 of a
// container it would otherwise ignore them), and a closed pipe is an error of write, not a signal.
void exit_on_signals();

}  // namespace base

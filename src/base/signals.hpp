// How the process ends before its time: by SIGINT and SIGTERM, for commands that have nothing to
// finish when they are stopped and for those that have; and by what nobody catches.
#pragma once

namespace base {

// From now on SIGINT and SIGTERM end the process with exit code 130 and one line (as process 1 of a
// container it would otherwise ignore them), and a closed pipe is an error of write, not a signal.
void exit_on_signals();

// From now on they, and SIGHUP unless it is ignored, only make stop_asked() true, so that the
// command can finish what it has begun. A second SIGINT, which a person means, ends the process as
// above; supervisors send SIGTERM twice, or after SIGINT, and mean no more by it. Throws 70.
void stop_on_signals();

// From now on what nobody catches, on whatever thread, ends the process with exit code 70 and one
// line, not by SIGABRT: most likely memory ran out.
void exit_on_uncaught();

bool stop_asked();

// A descriptor that becomes readable when a stop is asked for, to be waited for with others; -1
// before stop_on_signals().
int stop_descriptor();

}  // namespace base

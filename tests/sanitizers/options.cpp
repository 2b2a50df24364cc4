// What the sanitizers' run-times are told, compiled into the programs of the presets asan and tsan:
// the tests start them with an environment of their own, which holds no ASAN_OPTIONS.
//
// Every report goes to a file in REPORTS, named after the program, as a test may never show its
// program's standard error. The exit code is one that no test expects.
//
// Source: the run-times' flags, https://github.com/google/sanitizers/wiki/SanitizerCommonFlags.

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#define COMMON_OPTIONS "exitcode=99:log_path=" REPORTS "/report:log_exe_name=1"

extern "C" {

// Called by name, before main.
const char* __asan_default_options();
const char* __ubsan_default_options();
const char* __tsan_default_options();

const char* __asan_default_options() {
  return COMMON_OPTIONS
      ":detect_leaks=1:detect_stack_use_after_return=1:strict_init_order=1:check_initialization_"
      "order=1";
}

const char* __ubsan_default_options() {
  return COMMON_OPTIONS ":print_stacktrace=1";
}

const char* __tsan_default_options() {
  return COMMON_OPTIONS ":suppressions=" SUPPRESSIONS ":second_deadlock_stack=1";
}

// GCC's UndefinedBehaviorSanitizer writes to standard error whatever log_path says when
// AddressSanitizer is there too. But it calls this, if it is there, at each report.
void __ubsan_get_current_report_data(const char** kind, const char** message, const char** file,
                                     unsigned* line, unsigned* column, char** address);
void __ubsan_on_report();

#ifdef __SANITIZE_ADDRESS__
void __ubsan_on_report() {
  const char* kind = "";
  const char* message = "";
  const char* file = "";
  unsigned line = 0;
  unsigned column = 0;
  char* address = nullptr;
  __ubsan_get_current_report_data(&kind, &message, &file, &line, &column, &address);
  char text[2'000];
  const int size =
      std::snprintf(text, sizeof text, "%s:%u:%u: %s: %s\n", file, line, column, kind, message);
  const int fd =
      ::open(REPORTS "/report.undefined", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0 || size < 0) return;
  const ssize_t written = ::write(
      fd, text, static_cast<size_t>(size) < sizeof text ? static_cast<size_t>(size) : sizeof text);
  static_cast<void>(written);  // the exit code tells, too
  ::close(fd);
}
#endif
}

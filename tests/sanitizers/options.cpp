// What the sanitizers' run-times are told, compiled into the programs of the presets asan and tsan: the tests start them
// with an environment of their own, which holds no ASAN_OPTIONS.
//
// Every report goes to a file in REPORTS, named after the program, as a test may never show its program's standard
// error. The exit code is one that no test expects.
//
// Source: the run-times' flags, https://github.com/google/sanitizers/wiki/SanitizerCommonFlags.

#define COMMON_OPTIONS "exitcode=99:log_path=" REPORTS "/report:log_exe_name=1"

extern "C" {

// Called by name, before main.
const char* __asan_default_options();
const char* __ubsan_default_options();
const char* __tsan_default_options();

const char* __asan_default_options() {
  return COMMON_OPTIONS ":detect_leaks=1:detect_stack_use_after_return=1:strict_init_order=1:check_initialization_order=1";
}

const char* __ubsan_default_options() {
  return COMMON_OPTIONS ":print_stacktrace=1";
}

const char* __tsan_default_options() {
  return COMMON_OPTIONS ":suppressions=" SUPPRESSIONS ":second_deadlock_stack=1";
}
}

// Which end-to-end tests run under a sanitizer.
//
// asan: by itself a file or more of each command (some hundreds of tests in a few minutes); with --all every file that
// runs the program. tsan: the files of what has threads. Tests of the stand-ins alone are left out of all.

export const SELECTED = {
  asan: [
    'cli', 'gollum-notify', 'gollum-notify-input', 'slack-post', 'slack-post-stream', 'slack-serve', 'slack-serve-socket',
    'azure-run', 'es-tail', 'es-tail-processors', 'es-tail-connect', 'udp-load', 'udp-load-abuse', 'udp-load-output',
  ],
  tsan: [
    'slack-serve', 'slack-serve-socket', 'es-tail-processors', 'es-tail-policy', 'es-tail-checkpoints',
    'es-tail-group', 'es-tail-review-processors', 'es-tail-faults', 'azure-run', 'azure-run-faults', 'udp-load', 'udp-load-abuse',
    'udp-load-faults',
  ],
};

// Of stand-ins, documents of GitHub, the shipped build's flags, figures and the soak's rule: no code of the program is in
// question there. slack-serve-functions: a program under a sanitizer is too large for the package of an app.
// The last three time their faults for a program that takes no second to start; the second is among those of tsan.
export const NEVER = /^(standin-|workflows$|hardening$|bench$|soak$|slack-serve-functions$|udp-load-(bed|faults|refusals)$)/;

// Tests that can't run under a sanitizer: a part of their names as it stands in the source, and why. One that is in no
// file any more is an error.
const STATIC = 'a program under a sanitizer is linked dynamically and not stripped';
const MEMORY = 'a sanitizer keeps shadows of memory, and what was freed for a while';
export const LEFT_OUT = [
  { name: 'statically linked, stripped', why: STATIC },
  { name: 'runs in an empty root', why: STATIC },
  { name: 'TLS in an empty root', why: STATIC },
  { name: 'CA certificates are found where Debian', why: STATIC },
  { name: '100 MB: whole, and not held in memory', why: MEMORY },
  { name: 'the largest that is allowed costs bounded memory', why: MEMORY },
  { name: 'one that asks and never reads is given up', why: 'what it asks takes a sanitizer too long to answer' },
  { name: 'one that hangs holds up nobody, and memory stays flat', why: MEMORY },
  { name: 'a consumer that stalls stays connected', why: MEMORY },
  { name: '65 beyond 64 MiB, and memory is bounded', why: MEMORY },
];

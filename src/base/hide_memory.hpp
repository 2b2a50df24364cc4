// Keeps to this process what it holds in memory: tokens, passwords, what people said.
#pragma once

namespace base {

// From now on a crash leaves no core dump, whatever core_pattern and ulimit say, and nobody but
// root can read this process's memory and environment under /proc or trace it: not the user's other
// programs, nor those that it starts itself. These start with the usual state again. (A limit of 0
// on core files would reach them, too, and does not hold for a core_pattern with a pipe.)
// Source: prctl(2), PR_SET_DUMPABLE; core(5).
void hide_memory();

}  // namespace base

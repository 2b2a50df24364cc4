#include "base/hide_memory.hpp"

#include <sys/prctl.h>

namespace base {

void hide_memory() {
  ::prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace base

#include "eventstore/print.hpp"

namespace eventstore {

void Print::process(const Event& event) {
  std::string line;
  if (say_.empty()) event_line_(event, line);
  if (!say_.empty()) line = said(say_, event, {{"processor", processor_}});
  print_(line);
}

}  // namespace eventstore

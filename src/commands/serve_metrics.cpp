#include "commands/serve_metrics.hpp"

#include <fmt/format.h>

namespace commands {

std::string metrics_text(const Metrics& metrics, size_t waiting) {
  struct Row {
    const char* name;
    const char* help;
    int64_t value;
  };
  const Row counters[] = {
      {"received", "Deliveries from Slack", metrics.received},
      {"verified", "Deliveries whose signature was right", metrics.verified},
      {"refused", "Deliveries whose signature was wrong", metrics.refused},
      {"ignored", "Deliveries that no handler is there for", metrics.ignored},
      {"duplicates", "Deliveries of what was delivered before", metrics.duplicates},
      {"turned_away", "Deliveries answered 503, as the queue was full", metrics.turned_away},
      {"answers", "Messages that Slack took", metrics.answers},
      {"failures", "Answers that Slack did not take", metrics.failures},
      {"handled", "Pieces of work that are done", metrics.handled},
  };
  std::string text;
  for (const Row& row : counters) {
    text +=
        fmt::format("# HELP {0}_{1}_total {2}\n# TYPE {0}_{1}_total counter\n{0}_{1}_total {3}\n",
                    PRODUCT_NAME, row.name, row.help, row.value);
  }
  text += fmt::format(
      "# HELP {0}_queue Pieces of work that wait\n# TYPE {0}_queue gauge\n{0}_queue {1}\n",
      PRODUCT_NAME, waiting);
  text += fmt::format(
      "# HELP {0}_handler_seconds Time that the work took\n"
      "# TYPE {0}_handler_seconds summary\n"
      "{0}_handler_seconds_sum {1}\n{0}_handler_seconds_count {2}\n",
      PRODUCT_NAME, static_cast<double>(metrics.handler_ms) / 1000, metrics.handled.load());
  return text;
}

}  // namespace commands

// What slack-serve counts, for Prometheus.
// Source: prometheus.io "Text-based format".
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace commands {

struct Metrics {
  std::atomic<int64_t> received = 0;  // deliveries of Slack
  std::atomic<int64_t> refused = 0;   // signature or token wrong
  std::atomic<int64_t> verified = 0;
  std::atomic<int64_t> ignored = 0;  // no handler is there for it
  std::atomic<int64_t> duplicates = 0;
  std::atomic<int64_t> turned_away = 0;  // the queue was full: 503
  std::atomic<int64_t> answers = 0;      // messages that Slack took
  std::atomic<int64_t> failures = 0;     // answers that it did not get
  std::atomic<int64_t> handled = 0;      // pieces of work that are done
  std::atomic<int64_t> handler_ms = 0;   // that they took together
};

// In Prometheus' text format; `waiting` is the queue's length now.
std::string metrics_text(const Metrics& metrics, size_t waiting);

}  // namespace commands

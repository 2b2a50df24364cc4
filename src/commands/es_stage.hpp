// Processors side by side, each on a thread: how they are stopped, where they print, and what
// becomes of them.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "commands/options.hpp"
#include "commands/outlet.hpp"
#include "eventstore/runner.hpp"

namespace commands {

class EsStage {
 public:
  explicit EsStage(const Options& options);

  // Fills in what a runner gets from here. It must not outlive this.
  void equip(eventstore::RunnerOptions& runner);

  struct Ended {
    std::string name;
    uint64_t done = 0;
    uint64_t given_up = 0;
    eventstore::Place place;
    std::optional<base::Error> error;
  };

  // Runs them until all have ended, and writes out what they printed. Who fails is told of at once.
  std::vector<Ended> run(std::vector<eventstore::RunnerOptions> all);

 private:
  bool is_stopped() const;
  bool is_over();
  void print(std::string_view line);
  eventstore::Surroundings surroundings();
  void warn_of_clear_text(const net::HttpRequest& request);
  void tell_failure(const std::string& name, const base::Error& error, bool is_alone);

  base::Env env_;
  base::Clock clock_;
  int64_t drain_ms_;
  bool fails_fast_;
  std::atomic<bool> ends_ = false;
  std::atomic<bool> is_warned_ = false;
  std::atomic<int64_t> over_ms_ = 0;
  std::mutex print_mutex_;
  Outlet outlet_;
};

// 0; a failure's code; 1 when processors ended in different ways.
int exit_code_of(const std::vector<EsStage::Ended>& all);

}  // namespace commands

// A bounded queue with threads that work it off.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace base {

class WorkQueue {
 public:
  // A piece of work is told which thread does it, 0 to threads - 1, and must not throw.
  using Work = std::function<void(size_t thread)>;

  WorkQueue(size_t threads, size_t most_waiting);
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;
  ~WorkQueue() { stop(); }

  // False when the queue is full or closed; the work is not taken then. Work of one key never holds
  // more than half of the threads, so that other work goes on; "" is no key.
  bool offer(Work work, const std::string& key = "");

  // Takes no more; waits until all is done, at most wait_ms. Returns how many pieces were not.
  size_t drain(int64_t wait_ms);

  // Takes no more, drops what has not begun, waits for what has; for good.
  void stop();

  size_t waiting() const;
  size_t waiting(const std::string& key) const;

 private:
  struct Waiting {
    Work work;
    std::string key;
  };
  void run(size_t thread);
  std::deque<Waiting>::iterator next();

  const size_t most_waiting_;
  const size_t most_of_key_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;
  size_t running_ = 0;
  std::map<std::string, size_t> running_of_;  // by key
  bool closed_ = false;                       // takes no more
  bool stopped_ = false;                      // threads end
  std::vector<std::thread> threads_;
};

}  // namespace base

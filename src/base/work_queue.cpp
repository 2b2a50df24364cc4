#include "base/work_queue.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace base {

WorkQueue::WorkQueue(size_t threads, size_t most_waiting)
    : most_waiting_(most_waiting), most_of_key_(std::max<size_t>(threads / 2, 1)) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this, i] { run(i); });
}

void WorkQueue::stop() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    stopped_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

bool WorkQueue::offer(Work work, const std::string& key) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || waiting_.size() >= most_waiting_) return false;
    waiting_.push_back({std::move(work), key});
    changed_.notify_one();  // under the lock, or drain could be the one that is woken
  }
  return true;
}

size_t WorkQueue::drain(int64_t wait_ms) {
  std::unique_lock lock(mutex_);
  closed_ = true;
  changed_.wait_for(lock, std::chrono::milliseconds(wait_ms),
                    [this] { return waiting_.empty() && running_ == 0; });
  return waiting_.size() + running_;
}

size_t WorkQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

size_t WorkQueue::waiting(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(std::count_if(waiting_.begin(), waiting_.end(),
                                           [&](const Waiting& one) { return one.key == key; }));
}

// The first that may begin now.
std::deque<WorkQueue::Waiting>::iterator WorkQueue::next() {
  return std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& waiting) {
    const auto found = running_of_.find(waiting.key);
    return waiting.key.empty() || found == running_of_.end() || found->second < most_of_key_;
  });
}

void WorkQueue::run(size_t thread) {
  std::unique_lock lock(mutex_);
  for (;;) {
    auto begun = waiting_.end();
    changed_.wait(lock, [&] {
      begun = next();
      return stopped_ || begun != waiting_.end();
    });
    if (stopped_) return;
    const std::string key = begun->key;
    {
      const Work work = std::move(begun->work);
      waiting_.erase(begun);
      ++running_;
      if (!key.empty()) ++running_of_[key];
      lock.unlock();
      work(thread);
    }  // goes without the lock: what it holds may ask the queue
    lock.lock();
    --running_;
    if (!key.empty() && --running_of_[key] == 0) running_of_.erase(key);
    if (closed_) changed_.notify_all();  // for drain; what waits is taken by this thread itself
  }
}

}  // namespace base

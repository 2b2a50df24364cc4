// What was seen lately, so that it is done once: as many as fit, as long as it matters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_set>
#include <utility>

namespace slack {

class Recent {
 public:
  Recent(size_t most, int64_t keep_ms) : most_(most), keep_ms_(keep_ms) {}

  // False when it was added before, less than keep_ms ago and among the last `most`.
  bool add(const std::string& key, int64_t now_ms) {
    while (!order_.empty() && order_.front().second <= now_ms - keep_ms_) drop_oldest();
    if (known_.contains(key)) return false;
    if (!order_.empty() && order_.size() >= most_) drop_oldest();
    known_.insert(key);
    order_.emplace_back(key, now_ms);
    return true;
  }

  bool has(const std::string& key) const { return known_.contains(key); }

  // For what could not be done after all.
  void forget(const std::string& key) {
    if (known_.erase(key) == 0) return;
    std::erase_if(order_, [&](const auto& entry) { return entry.first == key; });
  }

 private:
  void drop_oldest() {
    known_.erase(order_.front().first);
    order_.pop_front();
  }

  size_t most_;
  int64_t keep_ms_;
  std::deque<std::pair<std::string, int64_t>> order_;
  std::unordered_set<std::string> known_;
};

}  // namespace slack

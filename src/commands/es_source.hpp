// Where es-tail's events come from, as its options say: a server, or a file.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands/options.hpp"
#include "eventstore/group.hpp"
#include "eventstore/seek.hpp"
#include "eventstore/subscription.hpp"
#include "eventstore/type_filter.hpp"

namespace commands {

// Whom notices go to, a line each; from any thread.
using OnNotice = std::function<void(const std::string& text)>;

class EsSource {
 public:
  // Reads the options, the environment and certificates; connects to nothing. Throws 64, 78.
  EsSource(const Options& options, const OnNotice& on_notice);

  // "$all", the stream, "file:PATH": as checkpoints know it.
  std::string name() const;

  bool is_file() const { return !file_.empty(); }
  const eventstore::Target& target() const { return target_; }
  uint64_t count() const { return count_; }  // of events that are wanted

  // The place that --offset names; asks the server when it must. Throws as eventstore/seek.hpp.
  eventstore::Place first_place() const;
  eventstore::Place last_place() const;

  // `types`, when there are some: no other events are wanted.
  std::unique_ptr<eventstore::Source> open(const eventstore::Place& from,
                                           const std::vector<std::string>& types = {}) const;
  std::unique_ptr<eventstore::Group> join() const;

  // Of a server; for who asks it otherwise.
  eventstore::Nodes& nodes() const { return *nodes_; }
  const eventstore::ChannelOptions& channel() const { return channel_; }

  // What the server does not filter.
  bool takes(const eventstore::Event& event) const;

 private:
  Options options_;
  std::string file_;
  eventstore::Target target_;
  eventstore::Reading reading_ = eventstore::Reading::follow;
  eventstore::Offset offset_;
  uint64_t count_ = eventstore::kAllOfThem;
  std::optional<eventstore::LocalFilter> filter_;
  eventstore::ChannelOptions channel_;
  std::unique_ptr<eventstore::Nodes> nodes_;
};

}  // namespace commands

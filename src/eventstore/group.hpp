// A consumer of a persistent subscription: the server hands each event to one of the group's
// consumers, and again until it is acknowledged.
#pragma once

#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "eventstore/channel.hpp"
#include "eventstore/messages.hpp"
#include "eventstore/source.hpp"

namespace eventstore {

class Group : public Source {
 public:
  // `stream` "" is $all. `buffer` is how many events may be on their way unacknowledged.
  Group(Nodes& nodes, const ChannelOptions& options, std::string stream, std::string group,
        int buffer);

  // Never the end. An event that the server hands out again while this consumer still has it is not
  // given twice. Throws as Channel::next does, 66 when there is no such group.
  Came next(Event& event, int64_t wait_ms) override;

  // The server keeps the place.
  Place place() const override { return {Place::Kind::end, 0, {}}; }

  // By the event's original_id(). They take effect with the next flush(). From any thread. An event
  // that came before the last loss of the connection is handed out again by the server, whatever is
  // said of it.
  void ack(const std::string& id);
  void nack(const std::string& id, Nack action, const std::string& reason);

  // Sends them; on the thread that calls next().
  void flush();

  // Sends them and says goodbye; waits a second at most for the server's. Then nothing more comes.
  void leave();

 private:
  bool is_new(const std::string& id);

  struct Refusal {
    std::string id;
    Nack action;
    std::string reason;
  };

  const std::string stream_;
  const std::string group_;
  const int buffer_;
  Channel channel_;
  ReadReply reply_;
  std::mutex mutex_;
  std::vector<std::string> done_;
  std::vector<Refusal> refused_;
  std::set<std::string> in_hand_;         // given, and nothing said of them yet
  std::deque<std::string> acknowledged_;  // of this call, the last ones
};

}  // namespace eventstore

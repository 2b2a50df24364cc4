// The server over real loopback sockets: what it must stand can't be shown without them.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "net/server.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr size_t kMebibyte = size_t{1} << 20U;

struct Reply {
  int status = 0;  // 0: the connection was closed and no whole reply came
  std::string head;
  std::string body;
};

// A client that writes and reads bytes.
class Client {
 public:
  explicit Client(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval longest{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  Client(Client&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_) {}
  ~Client() { close(); }

  bool connected() const { return connected_; }

  // False when the connection is closed.
  bool send(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  void end_input() const { ::shutdown(fd_, SHUT_WR); }

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  // The next reply; `to_head` for one to a HEAD request.
  Reply reply(bool to_head = false) {
    Reply reply;
    size_t end = std::string::npos;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive()) return reply;
    }
    reply.head = base::lower_ascii(buffer_.substr(0, end + 2));
    buffer_.erase(0, end + 4);
    size_t length = 0;
    const size_t field = reply.head.find("\r\ncontent-length: ");
    if (field != std::string::npos && !to_head) length = std::stoul(reply.head.substr(field + 18));
    while (buffer_.size() < length) {
      if (!receive()) return reply;
    }
    reply.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    reply.status = std::stoi(reply.head.substr(9, 3));
    return reply;
  }

  // Reads until the server has closed; true when no byte came before.
  bool closed() { return buffer_.empty() && !receive() && errno != EAGAIN; }

  // Whether the server has closed by now, with no bytes before; waits for nothing.
  bool cut() const {
    char byte = 0;
    const ssize_t got = ::recv(fd_, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
    return got == 0 || (got < 0 && errno != EAGAIN);
  }

 private:
  bool receive() {
    char bytes[65'536];
    errno = 0;
    const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
    if (got > 0) buffer_.append(bytes, static_cast<size_t>(got));
    return got > 0;
  }

  int fd_;
  bool connected_ = false;
  std::string buffer_;
};

// Requests that lie there until the test answers them.
class Desk {
 public:
  struct Item {
    net::ServerRequest request;
    net::Answer answer;
  };

  net::Handle handle() {
    return [this](net::ServerRequest request, net::Answer answer) {
      const std::scoped_lock lock(mutex_);
      items_.push_back({std::move(request), std::move(answer)});
      changed_.notify_all();
    };
  }

  Item next() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, 10s, [this] { return !items_.empty(); }))
      throw std::runtime_error("no request has come");
    Item item = std::move(items_.front());
    items_.pop_front();
    return item;
  }

  size_t waiting() {
    const std::scoped_lock lock(mutex_);
    return items_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> items_;
};

net::ServerResponse text(std::string body) {
  return {.status = 200, .headers = {}, .body = std::move(body)};
}

// Answers at once with what came: "METHOD path?query body-size".
void echo(const net::ServerRequest& request, const net::Answer& answer) {
  answer(text(request.method + " " + request.path + "?" + request.query + " " +
              std::to_string(request.body.size())));
}

std::string get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

std::string post(const std::string& body) {
  return "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

const std::string kChunkedHead =
    "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunks(size_t bytes, size_t each) {
  std::string all;
  while (bytes > 0) {
    const size_t size = std::min(bytes, each);
    char hex[32];
    std::snprintf(hex, sizeof hex, "%zx\r\n", size);
    all += hex + std::string(size, 'x') + "\r\n";
    bytes -= size;
  }
  return all;
}

int64_t ms_since(Clock::time_point start) {
  return std::chrono::duration_cast<Milliseconds>(Clock::now() - start).count();
}

// Waits until that is so; false when it is not after ten seconds.
template <typename Condition>
bool becomes_true(const Condition& condition) {
  const auto start = Clock::now();
  while (!condition()) {
    if (ms_since(start) > 10'000) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

}  // namespace

TEST_CASE("a request arrives as it was sent, and its answer comes back") {
  Desk desk;
  const net::Server server({}, desk.handle());
  Client client(server.port());
  client.send(
      "PATCH /a%2Fb/%C3%A4?x=%31&y=a?b HTTP/1.1\r\nHost: example.com\r\nX-Two:  first \r\n"
      "x-two: second\r\nX-Empty:\r\nContent-Length: 5\r\n\r\n{\"a\"}");
  const Desk::Item item = desk.next();
  CHECK(item.request.method == "PATCH");
  CHECK(item.request.path == "/a%2Fb/%C3%A4");
  CHECK(item.request.query == "x=%31&y=a?b");
  CHECK(item.request.body == "{\"a\"}");
  const net::Headers headers = {{"host", "example.com"},
                                {"x-two", "first"},
                                {"x-two", "second"},
                                {"x-empty", ""},
                                {"content-length", "5"}};
  CHECK(item.request.headers == headers);
  CHECK(net::header(item.request, "x-two") == "first");
  CHECK(net::header(item.request, "x-none") == "");

  std::thread([answer = item.answer] {
    answer({.status = 202,
            .headers = {{"Content-Type", "text/x"}, {"X-A", "1"}, {"Content-Length", "99"}},
            .body = std::string("a\0b", 3)});
  }).join();
  const Reply reply = client.reply();
  CHECK(reply.status == 202);
  CHECK(reply.body == std::string("a\0b", 3));
  CHECK(reply.head.starts_with("http/1.1 202 accepted\r\n"));
  CHECK(reply.head.find("\r\ncontent-type: text/x\r\n") != std::string::npos);
  CHECK(reply.head.find("\r\nx-a: 1\r\n") != std::string::npos);
  CHECK(reply.head.find("\r\ndate: ") != std::string::npos);
}

TEST_CASE("a connection serves several requests, one after the other and all sent at once") {
  const net::Server server({}, echo);
  Client client(server.port());
  for (const std::string path : {"/1", "/2", "/3"}) {
    client.send(get(path));
    CHECK(client.reply().body == "GET " + path + "? 0");
  }
  client.send("HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n");
  const Reply to_head = client.reply(true);
  CHECK(to_head.status == 200);
  CHECK(to_head.head.find("\r\ncontent-length: 10\r\n") != std::string::npos);
  // Were there a body in the reply to HEAD, these would be read wrong.
  client.send(get("/4") + post("xy") + kChunkedHead +
              "3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n" +
              "WHATEVER * HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.reply().body == "GET /4? 0");
  CHECK(client.reply().body == "POST /p? 2");
  CHECK(client.reply().body == "POST /c? 5");
  CHECK(client.reply().body == "WHATEVER *? 0");
}

TEST_CASE("what is sent at once is answered in its order, however late the first answer is") {
  Desk desk;
  const net::Server server({}, desk.handle());
  Client client(server.port());
  client.send(get("/first") + get("/second"));
  client.end_input();  // a client may say that it has said all, and still wait
  const Desk::Item first = desk.next();
  CHECK(first.request.path == "/first");
  CHECK(desk.waiting() == 0);
  std::thread later([answer = first.answer] {
    std::this_thread::sleep_for(10ms);
    answer(text("1"));
  });
  const Desk::Item second = desk.next();
  CHECK(second.request.path == "/second");
  second.answer(text("2"));
  later.join();
  CHECK(client.reply().body == "1");
  CHECK(client.reply().body == "2");
  CHECK(client.closed());
}

TEST_CASE("a body may be as long as the limit, and not a byte longer") {
  const net::Server server({}, echo);
  Client client(server.port());
  client.send(post(std::string(kMebibyte, 'x')));
  CHECK(client.reply().body == "POST /p? 1048576");
  client.send(kChunkedHead + chunks(kMebibyte, 300'000) + "0\r\n\r\n");
  CHECK(client.reply().body == "POST /c? 1048576");

  client.send(post(std::string(kMebibyte + 1, 'x')));
  CHECK(client.reply().status == 413);
  CHECK(client.closed());

  Client chunked(server.port());
  chunked.send(kChunkedHead + chunks(kMebibyte + 1, 300'000) + "0\r\n\r\n");
  CHECK(chunked.reply().status == 413);
  CHECK(chunked.closed());
}

TEST_CASE("too long a body is refused as soon as that is known, and its sender hears it") {
  std::atomic<int> handled = 0;
  const net::Server server({}, [&](const auto&, const auto&) { ++handled; });
  Client announced(server.port());
  announced.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n");
  CHECK(announced.reply().status == 413);

  Client expecting(server.port());
  expecting.send(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\nExpect: 100-continue\r\n\r\n");
  CHECK(expecting.reply().status == 413);

  Client one_chunk(server.port());
  one_chunk.send(kChunkedHead + "7fffffff\r\n" + std::string(kMebibyte + 1, 'x'));
  CHECK(one_chunk.reply().status == 413);

  Client busy(server.port());  // writes on, long after it was refused
  busy.send(kChunkedHead);
  CHECK(busy.send(chunks(8 * kMebibyte, 100'000)));
  CHECK(busy.reply().status == 413);
  CHECK(handled == 0);
}

TEST_CASE("requests that break off reach nobody") {
  std::atomic<int> handled = 0;
  // libmicrohttpd may miss an end that comes together with bytes; then the time-out closes.
  const net::Server server({.request_timeout_ms = 100},
                           [&](const auto&, const auto&) { ++handled; });
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\n";
  std::vector<Client> clients;
  for (const std::string& part :
       {std::string("GET / HT"), head, kChunkedHead + "5\r\nab", kChunkedHead + "5\r\nabcde\r\n",
        kChunkedHead + "5\r\nabcde\r\n0\r\n", head + "Content-Length: 5\r\n\r\nabcd"}) {
    clients.emplace_back(server.port());
    clients.back().send(part);
    clients.back().end_input();
  }
  for (Client& client : clients) CHECK(client.closed());
  CHECK(handled == 0);
}

TEST_CASE("requests that can't be read get the status that says why, and reach nobody") {
  std::atomic<int> handled = 0;
  const net::Server server({}, [&](const auto& request, const auto& answer) {
    ++handled;
    echo(request, answer);
  });
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\n";
  struct {
    std::string request;
    int status;
  } const rows[] = {
      {kChunkedHead + "xyz\r\n", 400},
      {head + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400},
      {head + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {head + "Content-Length: -3\r\n\r\nabc", 400},
      {head + "Transfer-Encoding: gzip\r\n\r\nabc", 501},
      {head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {"GET / HTTP/1.1\r\n\r\n", 400},  // no Host
      {head + "X: " + std::string(60'000, 'x') + "\r\n\r\n", 431},
  };
  for (const auto& row : rows) {
    CAPTURE(row.request.substr(0, 100));
    Client client(server.port());
    client.send(row.request);
    CHECK(client.reply().status == row.status);
  }
  CHECK(handled == 0);
  Client client(server.port());
  client.send(get("/ok"));
  CHECK(client.reply().body == "GET /ok? 0");
}

TEST_CASE("a connection is cut after its time, however busily it drips") {
  Desk desk;
  constexpr int64_t kTimeoutMs = 200;
  const net::Server server({.request_timeout_ms = kTimeoutMs}, desk.handle());
  const std::string body_head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n";
  struct Dripper {
    Client client;
    int64_t begins_ms;
    std::string begin;
    int64_t cut_ms = 0;
  };
  const auto start = Clock::now();
  Dripper drippers[] = {{Client(server.port()), 80, body_head},
                        {Client(server.port()), 0, "GET /"},
                        {Client(server.port()), 150, "GET / HTTP/1.1\r\nHost: a\r\nX: "},
                        {Client(server.port()), 0, body_head}};
  auto& [second, line, header, body] = drippers;
  second.client.send(get("/first"));  // what drips is its second request
  desk.next().answer(text("1"));
  CHECK(second.client.reply().body == "1");
  CHECK(becomes_true([&] {
    const int64_t before_ms = ms_since(start);
    size_t cut = 0;
    for (Dripper& dripper : drippers) {
      if (before_ms < dripper.begins_ms) continue;
      dripper.client.send(std::exchange(dripper.begin, "x"));
      if (!dripper.client.cut()) continue;
      ++cut;
      if (dripper.cut_ms == 0) dripper.cut_ms = ms_since(start);
    }
    return cut == 4;
  }));
  // A first request has its time from the connection's start, a later one from its first line.
  CHECK(line.cut_ms >= kTimeoutMs);
  CHECK(body.cut_ms >= kTimeoutMs);
  CHECK(header.cut_ms >= kTimeoutMs);
  CHECK(second.cut_ms >= second.begins_ms + kTimeoutMs);
  CHECK(header.cut_ms <= second.cut_ms + 10);
  CHECK(desk.waiting() == 0);
}

TEST_CASE("idle connections and untaken answers are cut after the time, late answers are not") {
  Desk desk;
  const net::Server server({.request_timeout_ms = 100}, desk.handle());
  std::string long_body(32 * kMebibyte, 'x');
  Client waiting(server.port());
  waiting.send(get("/late"));
  const Desk::Item late = desk.next();
  Client answered(server.port());  // then idle
  answered.send(get("/first"));
  desk.next().answer(text("1"));
  CHECK(answered.reply().body == "1");
  Client deaf(server.port());  // does not take its answer
  deaf.send(get("/long"));
  desk.next().answer(text(std::move(long_body)));
  const Client silent(server.port());
  CHECK(becomes_true([&] { return silent.cut() && answered.cut(); }));
  std::this_thread::sleep_for(50ms);
  CHECK(deaf.reply().status == 0);
  CHECK(!waiting.cut());
  late.answer(text("late"));
  CHECK(waiting.reply().body == "late");
}

TEST_CASE("hundreds of clients at once are answered, each with its own answer") {
  constexpr size_t kClients = 300;
  Desk desk;
  const net::Server server({}, desk.handle());
  std::vector<Client> clients;
  for (size_t at = 0; at < kClients; ++at) {
    clients.emplace_back(server.port());
    clients.back().send(get("/" + std::to_string(at)));
  }
  std::vector<Desk::Item> items;
  while (items.size() < kClients) items.push_back(desk.next());
  std::thread even([&] {
    for (size_t at = 0; at < kClients; at += 2) items[at].answer(text(items[at].request.path));
  });
  for (size_t at = 1; at < kClients; at += 2) items[at].answer(text(items[at].request.path));
  even.join();
  size_t right = 0;
  for (size_t at = 0; at < kClients; ++at) {
    if (clients[at].reply().body == "/" + std::to_string(at)) ++right;
  }
  CHECK(right == kClients);
}

TEST_CASE("connections over the limit are refused, the others go on, and room is made again") {
  const net::Server server({.most_connections = 2}, echo);
  Client one(server.port());
  Client two(server.port());
  one.send(get("/1"));
  two.send(get("/2"));
  CHECK(one.reply().status == 200);
  CHECK(two.reply().status == 200);
  for (int times = 0; times < 3; ++times) CHECK(Client(server.port()).closed());
  one.send(get("/1"));
  CHECK(one.reply().status == 200);
  one.close();
  CHECK(becomes_true([&] {
    Client three(server.port());
    three.send(get("/3"));
    return three.reply().status == 200;
  }));
  two.send(get("/2"));
  CHECK(two.reply().status == 200);
}

TEST_CASE("a client that goes away before its answer harms nobody") {
  Desk desk;
  net::Server server({}, desk.handle());
  Client gone(server.port());
  gone.send(get("/gone"));
  const Desk::Item item = desk.next();
  gone.close();
  item.answer(text(std::string(kMebibyte, 'x')));
  Client client(server.port());
  client.send(get("/next"));
  desk.next().answer(text("next"));
  CHECK(client.reply().body == "next");
  CHECK(server.drain(10'000));
}

TEST_CASE("what is not answered properly is a 500") {
  Desk desk;
  const auto handle = [&](net::ServerRequest request, net::Answer answer) {
    if (request.path == "/throw") throw std::runtime_error("no");
    if (request.path == "/throw-int") throw 1;
    if (request.path == "/drop") return;
    if (request.path == "/status-0") return answer({.status = 0, .headers = {}, .body = "x"});
    if (request.path == "/status-101") return answer({.status = 101, .headers = {}, .body = "x"});
    if (request.path == "/split")
      return answer({.status = 200, .headers = {{"X", "a\r\nY: b"}}, .body = "x"});
    desk.handle()(std::move(request), std::move(answer));
  };
  const net::Server server({}, handle);
  Client client(server.port());
  for (const std::string path :
       {"/throw", "/throw-int", "/drop", "/status-0", "/status-101", "/split"}) {
    CAPTURE(path);
    client.send(get(path));
    const Reply reply = client.reply();
    CHECK(reply.status == 500);
    CHECK(reply.body == "");
    CHECK(reply.head.find("\r\ny: b") == std::string::npos);
  }
  client.send(get("/dropped-later"));
  std::optional<Desk::Item> item = desk.next();
  const net::Answer copy = item->answer;
  item.reset();
  CHECK(!client.cut());
  std::thread([last = std::make_unique<net::Answer>(copy)]() mutable { last.reset(); }).join();
  const_cast<net::Answer&>(copy) = nullptr;
  CHECK(client.reply().status == 500);
}

TEST_CASE("a late answer wakes the server") {
  Desk desk;
  const net::Server server({}, desk.handle());
  Client client(server.port());
  const auto start = Clock::now();
  for (int times = 0; times < 5; ++times) {
    client.send(get("/"));
    const Desk::Item item = desk.next();
    std::this_thread::sleep_for(1ms);
    item.answer(text("late"));
    CHECK(client.reply().body == "late");
  }
  CHECK(ms_since(start) < 2'000);  // asleep, the server would look after 625 ms, five times
}

TEST_CASE("the first of several answers counts") {
  Desk desk;
  const net::Server server({}, desk.handle());
  Client client(server.port());
  client.send(get("/"));
  const Desk::Item item = desk.next();
  item.answer(text("1"));
  item.answer(text("2"));
  CHECK(client.reply().body == "1");
  item.answer(text("3"));
  client.send(get("/"));
  const Desk::Item next = desk.next();
  item.answer(text("4"));
  next.answer(text("5"));
  CHECK(client.reply().body == "5");
}

TEST_CASE("drain waits for late answers, lets nobody new in and says when not all was answered") {
  Desk desk;
  net::Server server({}, desk.handle());
  Client kept(server.port());
  kept.send(get("/kept"));
  desk.next().answer(text("kept"));
  CHECK(kept.reply().head.find("connection: close") == std::string::npos);
  Client client(server.port());
  client.send(get("/late"));
  const Desk::Item item = desk.next();

  CHECK(!server.drain(5));
  CHECK(!Client(server.port()).connected());
  Client late_comer(server.port());
  CHECK(!late_comer.connected());
  std::thread later([answer = item.answer] {
    std::this_thread::sleep_for(20ms);
    answer(text(std::string(kMebibyte, 'x')));
  });
  std::thread reader([&] {
    const Reply reply = client.reply();
    CHECK(reply.body.size() == kMebibyte);
    CHECK(reply.head.find("\r\nconnection: close\r\n") != std::string::npos);
    CHECK(client.closed());
  });
  const auto start = Clock::now();
  CHECK(server.drain(10'000));
  CHECK(ms_since(start) >= 15);
  later.join();
  reader.join();

  kept.send(get("/after"));
  CHECK(kept.reply().status == 503);
  CHECK(desk.waiting() == 0);
}

TEST_CASE("a server without requests drains and ends at once") {
  net::Server server({}, echo);
  CHECK(server.drain(10'000));
  CHECK(server.drain(0));
}

TEST_CASE("the server's end closes what waits, and answers that come later do nothing") {
  Desk desk;
  std::optional<net::Server> server;
  server.emplace(net::ServerOptions{}, desk.handle());
  const uint16_t port = server->port();
  Client waiting(port);
  waiting.send(get("/"));
  const Desk::Item item = desk.next();
  Client half(port);
  half.send("GET / HT");
  const auto start = Clock::now();
  server.reset();
  CHECK(ms_since(start) < 1'000);
  CHECK(waiting.closed());
  CHECK(half.closed());
  item.answer(text("late"));
  server.emplace(net::ServerOptions{.port = port}, echo);  // the port is free again
  CHECK(server->port() == port);
}

TEST_CASE("an address that can't be had is an error that says why and what to do") {
  const net::Server server({}, echo);
  struct {
    std::string address;
    uint16_t port;
    std::string text;
    base::ExitCode code = base::exit_unavailable;
  } const rows[] = {
      {"127.0.0.1", server.port(), "Address already in use; stop what listens there"},
      {"192.0.2.1", 0, "Cannot assign requested address; choose an address of this machine"},
      {"localhost", 0, "that is no IP address; give it in digits", base::exit_usage},
      {"", 0, "that is no IP address", base::exit_usage},
  };
  for (const auto& row : rows) {
    CAPTURE(row.address);
    try {
      const net::Server second({.address = row.address, .port = row.port}, echo);
      FAIL("it listens");
    } catch (const base::Error& error) {
      CHECK(error.code() == row.code);
      const std::string words = error.what();
      CHECK(words.find(row.address + " port " + std::to_string(row.port)) != std::string::npos);
      CHECK(words.find(row.text) != std::string::npos);
    }
  }
}

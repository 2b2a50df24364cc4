#include "net/server_messages.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

#include "base/text.hpp"

namespace net {

namespace {

MHD_Result append_header(void* to, MHD_ValueKind /*kind*/, const char* name, size_t name_size,
                         const char* value, size_t value_size) noexcept {
  std::string text = value == nullptr ? "" : std::string(value, value_size);
  static_cast<Headers*>(to)->emplace_back(base::lower_ascii({name, name_size}), std::move(text));
  return MHD_YES;
}

}  // namespace

Headers headers_of(MHD_Connection* connection) {
  Headers headers;
  MHD_get_connection_values_n(connection, MHD_HEADER_KIND, append_header, &headers);
  return headers;
}

int refusal(const Headers& headers, size_t most_body_bytes) {
  int statements = 0;
  bool too_long = false;
  bool unknown_coding = false;
  for (const auto& [name, value] : headers) {
    uint64_t bytes = 0;
    if (name == "content-length") {
      ++statements;
      too_long = base::read_number(value, bytes) && bytes > most_body_bytes;
    } else if (name == "transfer-encoding") {
      ++statements;
      unknown_coding = base::lower_ascii(value) != "chunked";
    }
  }
  if (statements > 1) return MHD_HTTP_BAD_REQUEST;
  if (unknown_coding) return MHD_HTTP_NOT_IMPLEMENTED;
  return too_long ? MHD_HTTP_CONTENT_TOO_LARGE : 0;
}

BuiltResponse build(ServerResponse& response) {
  if (response.status < 200 || response.status > 999) return nullptr;
  BuiltResponse built(MHD_create_response_from_buffer(response.body.size(), response.body.data(),
                                                      MHD_RESPMEM_PERSISTENT));
  for (const auto& [name, value] : response.headers) {
    const std::string lower = base::lower_ascii(name);
    if (lower == "content-length" || lower == "transfer-encoding") continue;
    if (!built || MHD_add_response_header(built.get(), name.c_str(), value.c_str()) != MHD_YES)
      return nullptr;
  }
  return built;
}

void send_refusal(int fd, int status) {
  std::string reply = "HTTP/1.1 " + std::to_string(status) + " ";
  reply += MHD_get_reason_phrase_for(static_cast<unsigned>(status));
  reply += "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
  // Fits into any empty buffer; with a full one the client reads nothing anyway.
  [[maybe_unused]] const ssize_t sent =
      ::send(fd, reply.data(), reply.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool discard_input(int fd) {
  std::array<char, 65'536> scrap;  // NOLINT(cppcoreguidelines-pro-type-member-init): never read
  const ssize_t got = ::recv(fd, scrap.data(), scrap.size(), MSG_DONTWAIT);
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

}  // namespace net

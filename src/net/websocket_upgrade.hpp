// The HTTP exchange that opens a WebSocket (RFC 6455, section 4), as text: nothing here sends.
#pragma once

#include <string>
#include <string_view>

namespace net {

// "https://…" of a "wss://…", "http://…" of a "ws://…"; "" for any other URL and for one that
// is_http_url() would not take.
std::string http_url_of(std::string_view websocket_url);

// 16 random bytes in base64. Throws 70 when there are none.
std::string new_websocket_key();

// The Sec-WebSocket-Accept that answers a key.
std::string websocket_accept(const std::string& key);

// The whole request, for an URL as http_url_of() gives it.
std::string upgrade_request(const std::string& http_url, const std::string& key,
                            const std::string& user_agent);

// Throws when a reply's head (without the empty line) does not open the WebSocket: 77 for 401 and
// 403, 75 for 429 and 5xx, 76 for any other. `host` names the other side in the text.
void check_upgrade_reply(const std::string& head, const std::string& key, const std::string& host);

}  // namespace net

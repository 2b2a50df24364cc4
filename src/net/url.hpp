// URLs, as far as this program looks into them (RFC 3986).
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace net {

// True for http:// or https:// with a host (ASCII), a port of digits if any, and no white space or
// control characters.
bool is_http_url(std::string_view url);

// "https://host:port" of a URL, lower case; "" when it is none of ours.
std::string origin(std::string_view url);

// Everything but A-Z a-z 0-9 - . _ ~ as %XX.
std::string percent_encode(std::string_view text);

// The fields of application/x-www-form-urlencoded; of a name that stands twice the first.
std::map<std::string, std::string> form_fields(std::string_view body);

}  // namespace net

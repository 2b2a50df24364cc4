// Whether what is sent leaves this machine, and can be read on the way.
#pragma once

#include <string_view>

namespace net {

// True for this machine's loopback: localhost, a name below it, 127.0.0.0/8, ::1 (in brackets or
// not).
bool is_loopback(std::string_view host);

// True for an http:// URL to another machine: on the way there everybody can read it.
bool is_in_clear(std::string_view url);

}  // namespace net

// Takes a secret out of a reply, before anything of the reply is shown.
#pragma once

#include <string>

#include "net/http.hpp"

namespace net {

// Where the secret stands in the body, "***" stands instead: some error pages and proxies repeat
// what they were sent. One of under eight characters stays, as it might be an ordinary word.
void hide(HttpResponse& reply, const std::string& secret);

}  // namespace net

// What processors get from outside.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/env.hpp"
#include "eventstore/event.hpp"
#include "net/http.hpp"

namespace eventstore {

struct Surroundings {
  net::Http http;
  base::Clock clock;
  base::Env env;
  std::function<bool()> stop;                   // true: end what waits
  std::function<void(std::string_view)> print;  // a line, without its end
  // Appends the event as one line of JSON, without its end.
  std::function<void(const Event&, std::string&)> event_line;
  std::vector<std::string> environment;  // "NAME=value", all that started programs get
};

}  // namespace eventstore

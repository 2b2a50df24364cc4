#include "commands/serve_routes.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "azure/function_envelope.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "commands/report.hpp"
#include "commands/slack_serve.hpp"
#include "json/read.hpp"
#include "json/write.hpp"
#include "slack/bot.hpp"

namespace commands {

namespace {

using Trigger = slack::Handler::Trigger;

constexpr const char* kHttp = "http";  // the key of what anybody may ask for
constexpr size_t kMostLoggedErrors = 2'000;
constexpr size_t kMostLoggedPath = 200;

net::ServerResponse in_json(const std::string& body) {
  return {200, {{"Content-Type", "application/json"}}, body};
}

// What is told of a request: nothing of what it says.
struct Shown {
  std::string method;
  std::string path;
  int64_t bytes = 0;
};

void log_request(const Shown& request, int status, int64_t ms) {
  const std::string time = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  base::write_stderr(json::write(json::Object{{"time", time},
                                              {"method", request.method},
                                              {"path", request.path},
                                              {"bytes", request.bytes},
                                              {"status", status},
                                              {"ms", ms}}) +
                     "\n");
}

// What an enveloped request asked for, as if it had come by itself.
net::ServerRequest unwrapped(const azure::EnvelopedRequest& enveloped) {
  net::ServerRequest request;
  request.method = enveloped.method;
  const size_t scheme = enveloped.url.find("://");
  const size_t path = scheme == std::string::npos
                          ? 0
                          : std::min(enveloped.url.find('/', scheme + 3), enveloped.url.size());
  const size_t query = std::min(enveloped.url.find('?', path), enveloped.url.size());
  request.path = enveloped.url.substr(path, query - path);
  request.query = enveloped.url.substr(std::min(query + 1, enveloped.url.size()));
  request.headers = enveloped.headers;
  request.body = enveloped.body;
  return request;
}

std::string request_json(const net::ServerRequest& request) {
  json::Object headers;
  for (const auto& [name, value] : request.headers) headers.push_back({name, value});
  return json::write(json::Object{{"method", request.method},
                                  {"path", request.path},
                                  {"query", request.query},
                                  {"headers", std::move(headers)},
                                  {"body", request.body}}) +
         "\n";
}

// The host puts the text of a queue's message into JSON once more.
json::Value undoubled(const json::Value& data) {
  json::Object plain_data = *json::as_object(&data);
  for (json::Member& member : plain_data) {
    const std::string* text = json::as_string(&member.value);
    if (text == nullptr) continue;
    if (auto inner = json::try_parse(*text)) member.value = std::move(*inner);
  }
  return plain_data;
}

// "outputs" and "return" of a program that says so in JSON; else its text is the return value.
std::string function_answer(const std::string& output, const std::string& log) {
  const auto document =
      base::trim(output).starts_with('{') ? json::try_parse(output) : std::nullopt;
  const json::Value* outputs = document ? json::find(*document, "outputs") : nullptr;
  const json::Value* value = document ? json::find(*document, "return") : nullptr;
  if (outputs == nullptr && value == nullptr) {
    return azure::trigger_answer(json::Object{}, base::trim(output), log);
  }
  return azure::trigger_answer(outputs == nullptr ? json::Value(json::Object{}) : *outputs,
                               value == nullptr ? json::Value(nullptr) : *value, log);
}

}  // namespace

Routes::Routes(const ServeSettings& settings, Events& events, base::WorkQueue& queue,
               Metrics& metrics, base::Env env, std::function<bool()> stop)
    : settings_(settings),
      events_(events),
      queue_(queue),
      metrics_(metrics),
      env_(std::move(env)),
      stop_(std::move(stop)) {}

void Routes::handle(const net::ServerRequest& request, const net::Answer& answer) {
  if (!settings_.log_requests) return route(request, answer);
  const int64_t begun_ms = base::real_clock().monotonic_ms();
  const Shown shown{request.method, base::shorten(request.path, kMostLoggedPath),
                    static_cast<int64_t>(request.body.size())};
  route(request, [answer, shown, begun_ms](net::ServerResponse response) {
    log_request(shown, response.status, base::real_clock().monotonic_ms() - begun_ms);
    answer(std::move(response));
  });
}

void Routes::route(const net::ServerRequest& request, const net::Answer& answer) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (reads && request.path == "/healthz") return answer(net::text_response(200, "ok\n"));
  if (reads && request.path == "/metrics") {
    return answer({200,
                   {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}},
                   metrics_text(metrics_, queue_.waiting())});
  }
  // A host calls /FUNCTION; what comes below /api/ it passes on as the world sent it.
  const bool may_be_envelope =
      settings_.in_functions && request.method == "POST" && !request.path.starts_with("/api/");
  const auto envelope = may_be_envelope ? azure::read_envelope(request.body) : std::nullopt;
  if (envelope && envelope->request) {
    return route_slack_or_path(
        unwrapped(*envelope->request), [answer](const net::ServerResponse& inner) {
          answer(in_json(azure::http_answer(inner.status, inner.headers, inner.body)));
        });
  }
  const bool calls_function = envelope && request.path.starts_with('/');
  if (calls_function && handler_at(Trigger::function, request.path.substr(1)) != nullptr) {
    return run_function(request.path.substr(1), envelope->data, answer);
  }
  if (reads && request.path == "/" && handler_at(Trigger::http, "/") == nullptr) {
    return answer(net::text_response(200, settings_.bot.name + " is here\n"));
  }
  route_slack_or_path(request, answer);
}

void Routes::route_slack_or_path(const net::ServerRequest& request, const net::Answer& answer) {
  const slack::Handler* handler = handler_at(Trigger::http, request.path);
  if (handler == nullptr && request.path.starts_with("/api/")) {
    handler = handler_at(Trigger::http, request.path.substr(4));
  }
  if (handler != nullptr) return run_path(*handler, request, answer);
  if (!is_for_slack(request.path)) return answer(net::text_response(404, "nothing is here\n"));
  if (request.method == "POST") return events_.take(request.headers, request.body, answer);
  answer(
      {405, {{"Allow", "POST"}, {"Content-Type", "text/plain"}}, "Slack posts its events here\n"});
}

void Routes::run_path(const slack::Handler& handler, const net::ServerRequest& request,
                      const net::Answer& answer) {
  const auto& methods = handler.methods;
  if (std::find(methods.begin(), methods.end(), request.method) == methods.end()) {
    return answer({405, {{"Allow", base::join(methods, ", ")}}, ""});
  }
  const slack::Task task = slack::task_of(handler);
  if (task.argv.empty()) return answer(net::text_response(200, task.text));
  // Anybody may ask, so this must not fill the queue that Slack's events need.
  if (queue_.waiting(kHttp) >= 2 * settings_.workers)
    return answer(net::text_response(503, "too busy\n"));
  run(
      task, request_json(request), kHttp,
      [](const base::Outcome& outcome) { return net::text_response(200, outcome.output); }, answer);
}

void Routes::run_function(const std::string& name, const json::Value& data,
                          const net::Answer& answer) {
  const slack::Task task = slack::task_of(*handler_at(Trigger::function, name));
  if (task.argv.empty()) return answer(in_json(function_answer(task.text, "")));
  run(
      task, json::write(json::Object{{"function", name}, {"data", undoubled(data)}}) + "\n", "",
      [](const base::Outcome& outcome) {
        return in_json(function_answer(outcome.output, outcome.errors));
      },
      answer);
}

// Programs run where everything runs, so that they are bounded together.
void Routes::run(const slack::Task& task, const std::string& input, const std::string& key,
                 const std::function<net::ServerResponse(const base::Outcome&)>& response_of,
                 const net::Answer& answer) {
  const auto work = [this, task, input, response_of, answer](size_t /*thread*/) {
    net::ServerResponse response = net::text_response(500, "this failed\n");
    try {
      const base::Outcome outcome = run_task(task, input, env_, stop_);
      const bool went_well = outcome.exit_code == 0 && !outcome.timed_out;
      if (went_well) response = response_of(outcome);
      if (!went_well) {
        report_progress(
            kSlackServe,
            fmt::format("{} failed (exit code {}): {}", task.handler->name, outcome.exit_code,
                        base::shorten(base::one_line(outcome.errors), kMostLoggedErrors)));
      }
    } catch (const std::exception& error) {
      report_progress(kSlackServe, error.what());
    }
    answer(std::move(response));
    ++metrics_.handled;
  };
  if (!queue_.offer(work, key)) answer(net::text_response(503, "the queue is full\n"));
}

const slack::Handler* Routes::handler_at(Trigger trigger, const std::string& name) const {
  for (const slack::Handler& handler : settings_.bot.handlers) {
    if (handler.trigger == trigger && handler.pattern == name) return &handler;
  }
  return nullptr;
}

// The seed's path stays, and as an Azure Function every path is below /api/ or a function's name.
bool Routes::is_for_slack(const std::string& path) const {
  return path == settings_.path || path == "/events-endpoint" || path.starts_with("/api/");
}

}  // namespace commands

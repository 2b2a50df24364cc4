#include "azure/function_app.hpp"

#include <algorithm>
#include <cctype>

#include "base/text.hpp"
#include "json/value.hpp"
#include "json/write.hpp"

namespace azure {

namespace {

std::string host_file(const std::string& executable, const std::vector<std::string>& arguments) {
  json::Array list;
  for (const std::string& argument : arguments) list.emplace_back(argument);
  const json::Object description{{"defaultExecutablePath", executable},
                                 {"workingDirectory", ""},
                                 {"arguments", std::move(list)}};
  const json::Object handler{{"description", description}, {"enableForwardingHttpRequest", true}};
  const json::Object bundle{{"id", "Microsoft.Azure.Functions.ExtensionBundle"},
                            {"version", "[4.*, 5.0.0)"}};
  return json::write(json::Object{
             {"version", "2.0"}, {"customHandler", handler}, {"extensionBundle", bundle}}) +
         "\n";
}

std::string function_file(const HttpFunction& function) {
  json::Array methods;
  for (const std::string& method : function.methods)
    methods.emplace_back(base::lower_ascii(method));
  json::Object in{{"type", "httpTrigger"},
                  {"direction", "in"},
                  {"name", "req"},
                  {"authLevel", "anonymous"},
                  {"methods", std::move(methods)}};
  if (!function.route.empty()) in.push_back({"route", function.route});
  const json::Object out{{"type", "http"}, {"direction", "out"}, {"name", "res"}};
  return json::write(json::Object{{"bindings", json::Array{in, out}}}) + "\n";
}

}  // namespace

std::vector<AppFile> function_app(const std::string& executable,
                                  const std::vector<std::string>& arguments,
                                  const std::vector<HttpFunction>& functions) {
  std::vector<AppFile> files{{"host.json", host_file(executable, arguments), false}};
  for (const HttpFunction& function : functions) {
    files.push_back({function.name + "/function.json", function_file(function), false});
  }
  return files;
}

bool is_function_name(const std::string& name) {
  const auto fits = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
  };
  return !name.empty() && name.size() <= 127 &&
         std::isalpha(static_cast<unsigned char>(name.front())) != 0 &&
         std::all_of(name.begin(), name.end(), fits);
}

}  // namespace azure

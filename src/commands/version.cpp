#include "commands/version.hpp"

#include <fmt/format.h>

#include <CLI/Version.hpp>

#include "gollum/filter.hpp"
#include "json/read.hpp"
#include "net/curl.hpp"
#include "net/http2.hpp"
#include "net/server.hpp"
#include "store/board.hpp"

namespace commands {

std::string version_text() {
  return fmt::format(
      "{} {}\n"
      "  libcurl        {}\n"
      "  OpenSSL        {}\n"
      "  c-ares         {}\n"
      "  nghttp2        {}\n"
      "  libmicrohttpd  {}\n"
      "  simdjson       {}\n"
      "  yaml-cpp       {}\n"
      "  SQLite         {}\n"
      "  utf8proc       {}\n"
      "  CLI11          {}\n"
      "  fmt            {}.{}.{}\n",
      PRODUCT_NAME, PRODUCT_VERSION, net::curl_version(), net::openssl_version(),
      net::cares_version(), net::nghttp2_version_text(), net::microhttpd_version(),
      json::simdjson_version(), json::yaml_cpp_version(), store::sqlite_version(),
      gollum::utf8proc_version_text(), CLI11_VERSION, FMT_VERSION / 10000, FMT_VERSION / 100 % 100,
      FMT_VERSION % 100);
}

}  // namespace commands

# Writes texts.cpp, which src/commands/texts.hpp declares: the hand-written parts of the manual, and
# what is linked into the program with its version, licence and notice. Versions and notices are
# those of the packages on this machine, so nothing here grows old.

set(pages "")
set(notices "")

# The manual: docs/man/NAME.txt of the program and of each command.
function(add_manual name)
  set(file ${CMAKE_SOURCE_DIR}/docs/man/${name}.txt)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} text)
  set(pages "${pages}    {\"${name}\", R\"text(${text})text\"},\n" PARENT_SCOPE)
endfunction()

# A row of libraries(). `file` holds the notice; all of it, or what `part` (a regex) finds in it.
function(add_library_row name version licence source file part)
  if(NOT EXISTS ${file})
    message(FATAL_ERROR "${name}: no ${file}; it holds the notice that the program has to carry")
  endif()
  file(READ ${file} text)
  if(NOT part STREQUAL "")
    string(REGEX MATCH "${part}" text "${text}")
    if(NOT text)
      message(FATAL_ERROR "${name}: ${file} holds no notice of the form that cmake/texts.cmake looks for")
    endif()
  endif()
  set(notices "${notices}    {\"${name}\", \"${version}\", \"${licence}\", \"${source}\", R\"text(${text})text\"},\n"
    PARENT_SCOPE)
endfunction()

# A library out of a Debian package: an installed one, or for arm64 one that ./dev unpacked.
macro(add_debian_library name licence package part)
  if(CMAKE_CROSSCOMPILING)
    file(STRINGS ${ARM64_ROOT}/versions found REGEX "^${package} ")
    string(REGEX REPLACE "^[^ ]+ " "" found "${found}")
  else()
    execute_process(COMMAND dpkg-query -W -f "\${source:Package} \${source:Version}\n" ${package}
      OUTPUT_VARIABLE found COMMAND_ERROR_IS_FATAL ANY)
  endif()
  string(REGEX MATCH "^([^ ]+) ([0-9]+:)?([^\n]+)" found "${found}")
  add_library_row(${name} "${CMAKE_MATCH_3}" ${licence} "${CMAKE_MATCH_1}"
    ${ARM64_ROOT}/usr/share/doc/${package}/copyright "${part}")
endmacro()

# A library that ./dev built from a Debian source package.
macro(add_source_library name licence package)
  file(GLOB folder ${DEPS_DIR}/src/${package}-*/debian)
  file(STRINGS ${folder}/changelog found LIMIT_COUNT 1)
  string(REGEX MATCH "\\(([^)]+)\\)" found "${found}")
  add_library_row(${name} "${CMAKE_MATCH_1}" ${licence} ${package} ${folder}/copyright "")
endmacro()

foreach(name opsbelt gollum-notify slack-post slack-serve azure-run es-tail udp-load completion manual licenses)
  add_manual(${name})
endforeach()

# What the link line and the #include lines name; tests/e2e/licenses.test.mjs compares them.
add_source_library(libcurl curl curl)
add_debian_library(OpenSSL Apache-2.0 libssl-dev "")
add_debian_library(c-ares MIT libc-ares-dev "")
add_debian_library(nghttp2 MIT libnghttp2-dev "")
add_source_library(libmicrohttpd LGPL-2.1-or-later libmicrohttpd)
add_source_library(simdjson Apache-2.0 simdjson)
add_source_library(fmt MIT fmtlib)
file(STRINGS ${DEPS_DIR}/include/wslay/wslayver.h wslay_version REGEX WSLAY_VERSION)
string(REGEX MATCH "[0-9.]+[0-9]" wslay_version "${wslay_version}")
add_library_row(wslay "${wslay_version}" MIT aria2 ${DEPS_DIR}/include/wslay/wslay.h 
  "Copyright.*OTHER DEALINGS IN THE SOFTWARE")
add_debian_library(yaml-cpp MIT libyaml-cpp-dev "")
add_debian_library(RE2 BSD-3-Clause libre2-dev "")
add_debian_library(zlib Zlib zlib1g-dev "")
add_debian_library(minizip Zlib libminizip-dev "")
add_debian_library(SQLite blessing libsqlite3-dev "")
add_debian_library(protozero BSD-2-Clause libprotozero-dev "")
add_debian_library(utf8proc MIT libutf8proc-dev "")
add_debian_library(CLI11 BSD-3-Clause libcli11-dev "")
add_debian_library(glibc LGPL-2.1-or-later libc6 "")
# The compiler's own library. The whole file is four times as long as all others and tells of what is
# not linked: Ada, Go, D, the manuals. The version is in the path, as clang links GCC's library too.
execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libstdc++.a OUTPUT_VARIABLE path
  COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCH "/([0-9]+)/libstdc" path "${path}")
set(compiler ${CMAKE_MATCH_1})
add_debian_library(libstdc++ "GPL-3.0-or-later WITH GCC-exception-3.1" gcc-${compiler}-base
  "GCC RUNTIME LIBRARY EXCEPTION.*license of GCC\\.")

foreach(name Apache-2.0 LGPL-2.1)
  file(READ /usr/share/common-licenses/${name} text)
  set(terms "${terms}    {\"${name}\", R\"text(${text})text\"},\n")
endforeach()

# "## 1.0.0 (2026-12-01)"; before that the day of the build.
file(READ ${CMAKE_SOURCE_DIR}/CHANGELOG.md changes)
string(REGEX MATCH "## ${PROJECT_VERSION} [^0-9\n]*([0-9]+-[0-9]+-[0-9]+)" found "${changes}")
set(date "${CMAKE_MATCH_1}")
if(NOT date)
  string(TIMESTAMP date "%Y-%m-%d" UTC)
endif()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/CHANGELOG.md)

set(TEXTS_SOURCE ${CMAKE_BINARY_DIR}/texts.cpp)
configure_file(${CMAKE_SOURCE_DIR}/cmake/texts.cpp.in ${TEXTS_SOURCE} @ONLY)

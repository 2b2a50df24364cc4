#include "net/http.hpp"
#include <slack/client.hpp>
 # include "json/value.hpp"
#include <sys/types.h>

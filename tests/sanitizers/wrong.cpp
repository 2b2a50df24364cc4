// Does what a sanitizer is there for, as its argument says: leak, overrun, overflow, race.
#include <climits>
#include <cstdlib>
#include <string_view>
#include <thread>

namespace {

int shared =
    0;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): what two threads write

void leak() {
  void* volatile lost = std::malloc(10);  // NOLINT
  lost = nullptr;
}

void overrun() {
  auto* volatile text = new char[10];
  volatile int behind = 10;
  text[behind] = 'x';
  delete[] text;
}

void overflow() {
  volatile int most = INT_MAX;
  most = most + 1;
}

void race() {
  std::thread other([] { shared = 1; });
  shared = 2;
  other.join();
}

}  // namespace

int main(int /*count*/, char** arguments) {
  const std::string_view what = arguments[1];
  if (what == "leak") leak();
  if (what == "overrun") overrun();
  if (what == "overflow") overflow();
  if (what == "race") race();
  return shared > 2 ? 1 : 0;  // it is read, so that the writes stay
}

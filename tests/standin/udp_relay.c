/* A bad network with a known truth: pairs of TUN devices obI, one end in each of two network namespaces, and this
 * program between them. It gives the devices no address and no route, and touches nothing else.
 *
 *   gcc -O2 -o udp_relay udp_relay.c
 *   udp_relay CLIENT_NAMESPACE SERVER_NAMESPACE PORT [TUNNELS [OUT [BACK [SEED]]]]
 *
 * Namespaces are paths (/run/netns/NAME, /proc/PID/ns/net). OUT is what happens to UDP packets to PORT from the client's
 * side, BACK to those from PORT to the client's side; each is a list like "delay_us=50000,drop=7" of
 *   delay_us, jitter_us     each packet is kept delay +- a uniform share of jitter; TCP and all else are kept delay
 *   drop, duplicate, reorder     every N-th packet of the direction; the first that fits counts
 *   hold, hold_ms           a reordered packet waits for so many later ones of its flow (1), but no longer (60 ms)
 *   flow, flow_drop         of the flow with this address (IPv4) on the client's side every N-th is dropped, before all
 *                           else: 1 is every packet
 * A flow is an address and a port on the client's side. Says "ready" when the devices are there. Lines on stdin:
 *   truth     prints the counters as one line of JSON: they tell what was written to the other side, in that order
 *   cut       ends the last TCP connection seen with a RST to both sides
 *   block     swallows TCP from now on      pass     no longer
 * The end of stdin or SIGTERM ends it, with a last line of truth.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { MOST_TUNNELS = 256, MOST_BYTES = 65536, FLOW_SLOTS = 1 << 18, READS_AT_ONCE = 64, UDP = 17, TCP = 6, OUT = 0, BACK = 1 };

struct fault {
  int64_t delay_us, jitter_us, drop, duplicate, reorder, hold, hold_ms, flow_drop;
  uint32_t flow; /* network byte order */
};

struct packet {
  int64_t due_ns, read_ns;
  uint64_t order;  /* among those due at the same time */
  uint64_t number; /* in its flow, from 1; 0: not one of the packets that are counted */
  uint32_t flow;
  bool is_copy;
  uint8_t way, tunnel;
  size_t length;
  uint8_t *data;
};

struct flow {
  bool is_used, is_ipv6;
  uint8_t way, tunnel, tos;
  uint16_t port;
  uint8_t address[16];
  uint64_t seen, forwarded, dropped, duplicated, reordered, highest;
  struct packet *held; /* one at most */
  int64_t still_to_pass;
};

struct counters {
  uint64_t seen, forwarded, dropped, duplicated, reordered, bytes, unwritten, other, tcp;
  double delay_sum_us;
  int64_t delay_min_us, delay_max_us;
};

/* What is known of the last TCP connection, each way. */
struct tcp_side {
  bool is_known, is_ipv6;
  uint8_t tunnel, from[16], to[16];
  uint16_t from_port, to_port;
  uint32_t next;
};

static struct fault faults[2];
static struct counters counters[2];
static struct tcp_side tcp_sides[2];
static struct flow flows[FLOW_SLOTS];
static uint32_t held_flows[FLOW_SLOTS];
static size_t held_count;
static struct packet **heap;
static size_t heap_count, heap_room;
static uint64_t orders, seed = 1;
static int devices[2][MOST_TUNNELS]; /* by side: the client's, the server's */
static int tunnels = 1;
static uint16_t data_port;
static bool is_blocking;
static volatile sig_atomic_t is_stopped;

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t random_number(void) { /* splitmix64 */
  uint64_t z = seed += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/* --- The queue: a heap by time and order --- */

static bool is_before(const struct packet *a, const struct packet *b) {
  return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void push(struct packet *packet) {
  if (heap_count == heap_room) {
    heap_room = heap_room ? heap_room * 2 : 1024;
    heap = realloc(heap, heap_room * sizeof *heap);
    if (!heap) fail("udp_relay: realloc");
  }
  packet->order = orders++;
  size_t at = heap_count++;
  while (at > 0 && is_before(packet, heap[(at - 1) / 2])) heap[at] = heap[(at - 1) / 2], at = (at - 1) / 2;
  heap[at] = packet;
}

static struct packet *pop(void) {
  struct packet *first = heap[0], *last = heap[--heap_count];
  size_t at = 0;
  for (;;) {
    size_t child = at * 2 + 1;
    if (child >= heap_count) break;
    if (child + 1 < heap_count && is_before(heap[child + 1], heap[child])) child++;
    if (!is_before(heap[child], last)) break;
    heap[at] = heap[child], at = child;
  }
  heap[at] = last;
  return first;
}

/* --- Reading packets --- */

struct view {
  bool is_ipv6, is_first_fragment;
  uint8_t protocol, tos;
  size_t header;
  const uint8_t *from, *to;
  uint16_t from_port, to_port;
};

static uint16_t read16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }
static uint32_t read32(const uint8_t *at) { return (uint32_t)read16(at) << 16 | read16(at + 2); }

static bool look(const uint8_t *data, size_t length, struct view *view) {
  *view = (struct view){.is_first_fragment = true};
  if (length >= 20 && data[0] >> 4 == 4) {
    view->header = (size_t)(data[0] & 15) * 4;
    view->tos = data[1], view->protocol = data[9];
    view->from = data + 12, view->to = data + 16;
    view->is_first_fragment = (read16(data + 6) & 0x1fff) == 0;
  } else if (length >= 40 && data[0] >> 4 == 6) {
    view->is_ipv6 = true, view->header = 40;
    view->tos = (uint8_t)(data[0] << 4 | data[1] >> 4), view->protocol = data[6];
    view->from = data + 8, view->to = data + 24;
    if (view->protocol == 44 && length >= 48) { /* a fragment */
      view->protocol = data[40], view->header = 48;
      view->is_first_fragment = (read16(data + 42) & 0xfff8) == 0;
    }
  } else {
    return false;
  }
  if (!view->is_first_fragment || length < view->header + 8) return false;
  view->from_port = read16(data + view->header), view->to_port = read16(data + view->header + 2);
  return true;
}

static uint32_t flow_of(const struct view *view, int way, int tunnel) {
  const uint8_t *address = way == OUT ? view->from : view->to;
  uint16_t port = way == OUT ? view->from_port : view->to_port;
  size_t bytes = view->is_ipv6 ? 16 : 4;
  uint64_t hash = 1469598103934665603u ^ (uint64_t)port << 16 ^ (uint64_t)way << 8 ^ (uint64_t)tunnel;
  for (size_t i = 0; i < bytes; i++) hash = (hash ^ address[i]) * 1099511628211u;
  for (uint32_t at = (uint32_t)(hash ^ hash >> 32) % FLOW_SLOTS, tries = 0; tries < FLOW_SLOTS; tries++, at = (at + 1) % FLOW_SLOTS) {
    struct flow *flow = &flows[at];
    if (!flow->is_used) {
      *flow = (struct flow){.is_used = true, .is_ipv6 = view->is_ipv6, .way = (uint8_t)way, .tunnel = (uint8_t)tunnel, .port = port};
      memcpy(flow->address, address, bytes);
      return at;
    }
    if (flow->port == port && flow->way == way && flow->tunnel == tunnel && flow->is_ipv6 == view->is_ipv6 &&
        memcmp(flow->address, address, bytes) == 0) {
      return at;
    }
  }
  fprintf(stderr, "udp_relay: too many flows\n");
  exit(1);
}

static struct packet *keep(const uint8_t *data, size_t length, int way, int tunnel, int64_t read_ns, int64_t due_ns) {
  struct packet *packet = calloc(1, sizeof *packet + length);
  if (!packet) fail("udp_relay: calloc");
  packet->data = (uint8_t *)(packet + 1);
  memcpy(packet->data, data, length);
  packet->length = length, packet->way = (uint8_t)way, packet->tunnel = (uint8_t)tunnel;
  packet->read_ns = read_ns, packet->due_ns = due_ns;
  return packet;
}

static bool is_every(int64_t period, uint64_t number) { return period > 0 && number % (uint64_t)period == 0; }

/* One of those packets that are counted and harmed. */
static void take_data(const uint8_t *data, size_t length, const struct view *view, int way, int tunnel, int64_t at_ns) {
  const struct fault *fault = &faults[way];
  struct counters *all = &counters[way];
  uint32_t slot = flow_of(view, way, tunnel);
  struct flow *flow = &flows[slot];
  flow->tos = view->tos;
  flow->seen++, all->seen++;
  bool is_marked = fault->flow_drop > 0 && !flow->is_ipv6 && memcmp(flow->address, &fault->flow, 4) == 0;
  if ((is_marked && is_every(fault->flow_drop, flow->seen)) || is_every(fault->drop, all->seen)) {
    flow->dropped++, all->dropped++;
    return;
  }
  int64_t delay_ns = fault->delay_us * 1000;
  if (fault->jitter_us > 0) delay_ns += (int64_t)(random_number() % (uint64_t)(fault->jitter_us * 2000 + 1)) - fault->jitter_us * 1000;
  struct packet *packet = keep(data, length, way, tunnel, at_ns, at_ns + (delay_ns > 0 ? delay_ns : 0));
  packet->flow = slot, packet->number = flow->seen;
  if (is_every(fault->duplicate, all->seen)) {
    push(packet);
    struct packet *copy = keep(data, length, way, tunnel, at_ns, packet->due_ns);
    copy->flow = slot, copy->number = flow->seen, copy->is_copy = true;
    push(copy);
  } else if (is_every(fault->reorder, all->seen) && !flow->held) {
    flow->held = packet, flow->still_to_pass = fault->hold;
    held_flows[held_count++] = slot;
  } else {
    push(packet);
  }
}

static void note_tcp(const uint8_t *data, size_t length, const struct view *view, int way, int tunnel) {
  if (length < view->header + 20) return;
  const uint8_t *tcp = data + view->header;
  struct tcp_side *side = &tcp_sides[way];
  size_t bytes = view->is_ipv6 ? 16 : 4, payload = length - view->header - (size_t)(tcp[12] >> 4) * 4;
  *side = (struct tcp_side){.is_known = true, .is_ipv6 = view->is_ipv6, .tunnel = (uint8_t)tunnel,
                            .from_port = view->from_port, .to_port = view->to_port};
  memcpy(side->from, view->from, bytes), memcpy(side->to, view->to, bytes);
  side->next = read32(tcp + 4) + (uint32_t)payload + ((tcp[13] & 3) ? 1 : 0); /* FIN and SYN count as a byte */
}

static void take(const uint8_t *data, size_t length, int way, int tunnel) {
  int64_t at_ns = now_ns();
  struct view view;
  bool has_ports = look(data, length, &view);
  if (has_ports && view.protocol == UDP && (way == OUT ? view.to_port : view.from_port) == data_port) {
    take_data(data, length, &view, way, tunnel, at_ns);
    return;
  }
  if (has_ports && view.protocol == TCP) {
    counters[way].tcp++;
    if (is_blocking) return;
    note_tcp(data, length, &view, way, tunnel);
  } else {
    counters[way].other++;
  }
  push(keep(data, length, way, tunnel, at_ns, at_ns + faults[way].delay_us * 1000));
}

/* --- Writing packets, and the truth about them --- */

static void count(const struct packet *packet, int64_t at_ns) {
  struct flow *flow = &flows[packet->flow];
  struct counters *all = &counters[packet->way];
  if (packet->is_copy) {
    flow->duplicated++, all->duplicated++;
    return;
  }
  int64_t delay_us = (at_ns - packet->read_ns) / 1000;
  if (all->forwarded == 0 || delay_us < all->delay_min_us) all->delay_min_us = delay_us;
  if (delay_us > all->delay_max_us) all->delay_max_us = delay_us;
  all->delay_sum_us += (double)delay_us;
  flow->forwarded++, all->forwarded++;
  all->bytes += packet->length;
  if (packet->number < flow->highest) flow->reordered++, all->reordered++;
  else flow->highest = packet->number;
}

static void release(size_t at, int64_t due_ns) {
  struct flow *flow = &flows[held_flows[at]];
  flow->held->due_ns = due_ns;
  push(flow->held);
  flow->held = NULL;
  held_flows[at] = held_flows[--held_count];
}

/* A held packet goes when enough of its flow have overtaken it. */
static void pass_held(uint32_t slot, int64_t at_ns) {
  if (!flows[slot].held || --flows[slot].still_to_pass > 0) return;
  for (size_t i = 0; i < held_count; i++) {
    if (held_flows[i] == slot) {
      release(i, at_ns);
      return;
    }
  }
}

static void emit(struct packet *packet) {
  int64_t at_ns = now_ns();
  int device = devices[packet->way == OUT ? 1 : 0][packet->tunnel];
  if (write(device, packet->data, packet->length) < 0) {
    counters[packet->way].unwritten++;
  } else if (packet->number > 0) {
    count(packet, at_ns);
    struct flow *flow = &flows[packet->flow];
    if (flow->held && !packet->is_copy && packet->number > flow->held->number) pass_held(packet->flow, at_ns);
  }
  free(packet);
}

static void emit_due(void) {
  int64_t at_ns = now_ns();
  for (size_t i = 0; i < held_count;) {
    struct packet *held = flows[held_flows[i]].held;
    if (held->due_ns + faults[held->way].hold_ms * 1000000 <= at_ns) release(i, at_ns);
    else i++;
  }
  while (heap_count > 0 && heap[0]->due_ns <= now_ns()) emit(pop());
}

static void print_address(const struct flow *flow) {
  char text[INET6_ADDRSTRLEN];
  printf("\"address\":\"%s\"", inet_ntop(flow->is_ipv6 ? AF_INET6 : AF_INET, flow->address, text, sizeof text));
}

static void print_way(const char *name, int way) {
  const struct counters *all = &counters[way];
  printf("\"%s\":{\"seen\":%lu,\"forwarded\":%lu,\"dropped\":%lu,\"duplicated\":%lu,\"reordered\":%lu,\"bytes\":%lu,", name,
         all->seen, all->forwarded, all->dropped, all->duplicated, all->reordered, all->bytes);
  printf("\"unwritten\":%lu,\"other\":%lu,\"tcp\":%lu,\"delay_us\":{\"mean\":%.1f,\"min\":%ld,\"max\":%ld},\"flows\":[", all->unwritten,
         all->other, all->tcp, all->forwarded ? all->delay_sum_us / (double)all->forwarded : 0, all->delay_min_us, all->delay_max_us);
  const char *comma = "";
  for (size_t i = 0; i < FLOW_SLOTS; i++) {
    const struct flow *flow = &flows[i];
    if (!flow->is_used || flow->way != way) continue;
    printf("%s{", comma), comma = ",";
    print_address(flow);
    printf(",\"port\":%u,\"tunnel\":%u,\"tos\":%u,\"seen\":%lu,\"forwarded\":%lu,\"dropped\":%lu,\"duplicated\":%lu,\"reordered\":%lu}",
           flow->port, flow->tunnel, flow->tos, flow->seen, flow->forwarded, flow->dropped, flow->duplicated, flow->reordered);
  }
  printf("]}");
}

static void print_truth(void) {
  printf("{\"waiting\":%zu,", heap_count + held_count);
  print_way("out", OUT);
  printf(",");
  print_way("back", BACK);
  printf("}\n");
  fflush(stdout);
}

/* --- Cutting TCP --- */

static uint32_t sum16(const uint8_t *data, size_t length, uint32_t sum) {
  for (size_t i = 0; i + 1 < length; i += 2) sum += read16(data + i);
  return sum;
}

static void write_sum(uint8_t *to, uint32_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  to[0] = (uint8_t)(~sum >> 8), to[1] = (uint8_t)~sum;
}

/* What the sender of `way` would say to end its connection at once. */
static void reset(int way) {
  const struct tcp_side *side = &tcp_sides[way];
  if (!side->is_known) return;
  uint8_t data[60] = {0};
  size_t bytes = side->is_ipv6 ? 16 : 4, header = side->is_ipv6 ? 40 : 20, from = side->is_ipv6 ? 8 : 12;
  memcpy(data + from, side->from, bytes), memcpy(data + from + bytes, side->to, bytes);
  if (side->is_ipv6) {
    data[0] = 0x60, data[5] = 20, data[6] = TCP, data[7] = 64;
  } else {
    data[0] = 0x45, data[3] = 40, data[8] = 64, data[9] = TCP;
    write_sum(data + 10, sum16(data, 20, 0));
  }
  uint8_t *tcp = data + header;
  uint16_t ports[2] = {htons(side->from_port), htons(side->to_port)};
  uint32_t next = htonl(side->next);
  memcpy(tcp, ports, 4), memcpy(tcp + 4, &next, 4);
  tcp[12] = 5 << 4, tcp[13] = 4; /* RST */
  write_sum(tcp + 16, sum16(tcp, 20, sum16(data + from, bytes * 2, TCP + 20)));
  if (write(devices[way == OUT ? 1 : 0][side->tunnel], data, header + 20) < 0) perror("udp_relay: the RST");
}

static void obey(const char *line) {
  if (strcmp(line, "truth") == 0) print_truth();
  else if (strcmp(line, "cut") == 0) reset(OUT), reset(BACK);
  else if (strcmp(line, "block") == 0) is_blocking = true;
  else if (strcmp(line, "pass") == 0) is_blocking = false;
  else fprintf(stderr, "udp_relay: unknown word '%s'\n", line);
}

static void read_words(void) {
  static char buffer[1024];
  static size_t length;
  ssize_t got = read(0, buffer + length, sizeof buffer - 1 - length);
  if (got <= 0) is_stopped = 1;
  if (got > 0) length += (size_t)got;
  buffer[length] = 0;
  for (char *end; (end = strchr(buffer, '\n'));) {
    *end = 0;
    obey(buffer);
    length -= (size_t)(end + 1 - buffer);
    memmove(buffer, end + 1, length + 1);
  }
}

/* --- Setting up --- */

static void make_devices(const char *namespace, int side) {
  int fd = open(namespace, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || setns(fd, CLONE_NEWNET) != 0) fail(namespace);
  close(fd);
  for (int i = 0; i < tunnels; i++) {
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    snprintf(request.ifr_name, sizeof request.ifr_name, "ob%d", i);
    devices[side][i] = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (devices[side][i] < 0 || ioctl(devices[side][i], TUNSETIFF, &request) != 0) fail("udp_relay: /dev/net/tun");
  }
}

static void read_fault(char *text, struct fault *fault) {
  *fault = (struct fault){.hold = 1, .hold_ms = 60};
  for (char *word = strtok(text, ","); word; word = strtok(NULL, ",")) {
    char *value = strchr(word, '=');
    if (!value) fprintf(stderr, "udp_relay: no value in '%s'\n", word), exit(64);
    *value++ = 0;
    int64_t number = strtoll(value, NULL, 10);
    if (strcmp(word, "delay_us") == 0) fault->delay_us = number;
    else if (strcmp(word, "jitter_us") == 0) fault->jitter_us = number;
    else if (strcmp(word, "drop") == 0) fault->drop = number;
    else if (strcmp(word, "duplicate") == 0) fault->duplicate = number;
    else if (strcmp(word, "reorder") == 0) fault->reorder = number;
    else if (strcmp(word, "hold") == 0) fault->hold = number;
    else if (strcmp(word, "hold_ms") == 0) fault->hold_ms = number;
    else if (strcmp(word, "flow_drop") == 0) fault->flow_drop = number;
    else if (strcmp(word, "flow") == 0 && inet_pton(AF_INET, value, &fault->flow) == 1) continue;
    else fprintf(stderr, "udp_relay: what is '%s=%s'?\n", word, value), exit(64);
  }
}

static void wait_for_work(struct pollfd *polled, nfds_t count) {
  struct timespec left = {.tv_sec = 1};
  int64_t wait_ns = heap_count > 0 ? heap[0]->due_ns - now_ns() : 1000000000;
  if (held_count > 0 && wait_ns > 1000000) wait_ns = 1000000;
  if (wait_ns < 0) wait_ns = 0;
  if (wait_ns < 1000000000) left = (struct timespec){.tv_nsec = wait_ns};
  if (ppoll(polled, count, &left, NULL) < 0 && errno != EINTR) fail("udp_relay: ppoll");
}

static void on_stop(int signal) {
  (void)signal;
  is_stopped = 1;
}

int main(int argc, char **argv) {
  static char none[2][1];
  static uint8_t buffer[MOST_BYTES];
  static struct pollfd polled[1 + 2 * MOST_TUNNELS];
  if (argc < 4) return fprintf(stderr, "udp_relay CLIENT_NAMESPACE SERVER_NAMESPACE PORT [TUNNELS [OUT [BACK [SEED]]]]\n"), 64;
  data_port = (uint16_t)atoi(argv[3]);
  if (argc > 4) tunnels = atoi(argv[4]);
  if (tunnels < 1 || tunnels > MOST_TUNNELS) return fprintf(stderr, "udp_relay: 1 to %d tunnels\n", MOST_TUNNELS), 64;
  read_fault(argc > 5 ? argv[5] : none[0], &faults[OUT]);
  read_fault(argc > 6 ? argv[6] : none[1], &faults[BACK]);
  if (argc > 7) seed = strtoull(argv[7], NULL, 10);
  signal(SIGTERM, on_stop), signal(SIGINT, SIG_IGN);
  prctl(PR_SET_TIMERSLACK, 1);
  make_devices(argv[1], 0), make_devices(argv[2], 1);
  nfds_t count_polled = 0;
  polled[count_polled++] = (struct pollfd){.fd = 0, .events = POLLIN};
  for (int i = 0; i < 2 * tunnels; i++) polled[count_polled++] = (struct pollfd){.fd = devices[i % 2][i / 2], .events = POLLIN};
  printf("ready\n");
  fflush(stdout);
  while (!is_stopped) {
    emit_due();
    wait_for_work(polled, count_polled);
    for (int i = 0; i < 2 * tunnels; i++) {
      ssize_t length = 0;
      for (int n = 0; n < READS_AT_ONCE && polled[1 + i].revents && length >= 0; n++) {
        length = read(polled[1 + i].fd, buffer, sizeof buffer);
        if (length > 0) take(buffer, (size_t)length, i % 2, i / 2);
      }
    }
    if (polled[0].revents) read_words();
  }
  print_truth();
  return 0;
}

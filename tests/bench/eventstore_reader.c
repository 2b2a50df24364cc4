/* The bare peer of es-tail: subscribes to a stream by nghttp2 on a blocking socket, and only counts gRPC messages and the
 * bytes of DATA. Prints JSON as eventstore_client.mjs does. Exits with 1 when the connection ends before the last event.
 *
 *   gcc -O2 -o reader eventstore_reader.c -l:libnghttp2.a
 *   reader PORT STREAM EVENTS
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WINDOW_BYTES = 1 << 20, READ_BYTES = 1 << 18, PREFIX_BYTES = 5 };

struct reader {
  int socket;
  uint8_t request[512];
  size_t request_bytes, sent_bytes;
  uint8_t prefix[PREFIX_BYTES]; /* of the message that is being read */
  size_t prefix_bytes, message_left;
  uint64_t messages, bytes;
};

static ssize_t on_send(nghttp2_session *session, const uint8_t *data, size_t length, int flags, void *user) {
  (void)session, (void)flags;
  ssize_t written = write(((struct reader *)user)->socket, data, length);
  return written < 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : written;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t length, void *user) {
  (void)session, (void)flags, (void)stream;
  struct reader *reader = user;
  reader->bytes += length;
  while (length > 0) {
    if (reader->message_left > 0) {
      size_t skipped = length < reader->message_left ? length : reader->message_left;
      reader->message_left -= skipped, data += skipped, length -= skipped;
    } else {
      reader->prefix[reader->prefix_bytes++] = *data++, length--;
    }
    if (reader->prefix_bytes == PREFIX_BYTES) {
      const uint8_t *p = reader->prefix;
      reader->message_left = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
      reader->prefix_bytes = 0;
      reader->messages++;
    }
  }
  return 0;
}

static ssize_t on_body(nghttp2_session *session, int32_t stream, uint8_t *to, size_t length, uint32_t *flags,
                       nghttp2_data_source *source, void *user) {
  (void)session, (void)stream, (void)source, (void)length;
  struct reader *reader = user;
  memcpy(to, reader->request, reader->request_bytes);
  *flags |= NGHTTP2_DATA_FLAG_EOF;
  return (ssize_t)reader->request_bytes;
}

/* ReadReq: a subscription to the stream from its start, without a filter, ids as text. */
static void make_request(struct reader *reader, const char *stream) {
  size_t name = strlen(stream);
  if (name > 100) exit(64);
  uint8_t options[256];
  size_t n = 0;
  options[n++] = 0x0a, options[n++] = (uint8_t)(name + 6);
  options[n++] = 0x0a, options[n++] = (uint8_t)(name + 2);
  options[n++] = 0x1a, options[n++] = (uint8_t)name;
  memcpy(options + n, stream, name), n += name;
  const uint8_t rest[] = {0x1a, 0, 0x32, 0, 0x42, 0, 0x4a, 2, 0x12, 0};
  memcpy(options + n, rest, sizeof rest), n += sizeof rest;
  uint8_t *to = reader->request;
  memset(to, 0, 4);
  to[4] = (uint8_t)(n + 2), to[5] = 0x0a, to[6] = (uint8_t)n;
  memcpy(to + 7, options, n);
  reader->request_bytes = n + 7;
}

static nghttp2_nv header(const char *name, const char *value) {
  return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static nghttp2_session *start(struct reader *reader) {
  nghttp2_session_callbacks *callbacks;
  nghttp2_session *session;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_client_new(&session, callbacks, reader);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_settings_entry window = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_BYTES};
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, &window, 1);
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, WINDOW_BYTES);
  nghttp2_nv headers[] = {header(":method", "POST"), header(":scheme", "http"), header(":authority", "127.0.0.1"),
                          header(":path", "/event_store.client.streams.Streams/Read"),
                          header("content-type", "application/grpc"), header("te", "trailers")};
  nghttp2_data_provider body = {.read_callback = on_body};
  nghttp2_submit_request(session, NULL, headers, sizeof headers / sizeof *headers, &body, NULL);
  return session;
}

int main(int argc, char **argv) {
  if (argc != 4) return fprintf(stderr, "reader PORT STREAM EVENTS\n"), 64;
  static struct reader reader;
  static uint8_t buffer[READ_BYTES];
  uint64_t wanted = strtoull(argv[3], NULL, 10) + 1; /* and the confirmation */
  make_request(&reader, argv[2]);
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  reader.socket = socket(AF_INET, SOCK_STREAM, 0);
  int on = 1;
  setsockopt(reader.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(reader.socket, (struct sockaddr *)&where, sizeof where) != 0) return perror("reader: connect"), 69;
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  nghttp2_session *session = start(&reader);
  while (reader.messages < wanted || reader.message_left > 0) {
    if (nghttp2_session_send(session) != 0) return fprintf(stderr, "reader: can't send\n"), 1;
    ssize_t length = read(reader.socket, buffer, sizeof buffer);
    if (length <= 0 || nghttp2_session_mem_recv(session, buffer, (size_t)length) < 0) {
      return fprintf(stderr, "reader: ended after %llu messages\n", (unsigned long long)reader.messages), 1;
    }
  }
  clock_gettime(CLOCK_MONOTONIC, &to);
  double wall_ms = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("{\"events\":%llu,\"bytes\":%llu,\"wall_ms\":%.1f,\"events_per_s\":%.0f,\"mb_per_s\":%.0f,\"peak_rss_mib\":%.1f}\n",
         (unsigned long long)wanted - 1, (unsigned long long)reader.bytes, wall_ms, (double)(wanted - 1) / wall_ms * 1e3,
         (double)reader.bytes / wall_ms / 1e3, (double)usage.ru_maxrss / 1024);
  return 0;
}

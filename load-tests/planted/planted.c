/*
 * A fault for a media worker, preloaded into it (LD_PRELOAD), to see that a bench or a load run finds it.
 * VEILCAST_PLANTED_SLOW=15: whatever the worker did since its last send takes so many percent more of the processor.
 * VEILCAST_PLANTED_LOSS=500: to each destination one RTP packet in so many is not sent. Not for a worker that batches.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

#define DESTINATIONS 65536

static long setting(const char *name) {
  const char *text = getenv(name);
  return text == NULL ? 0 : strtol(text, NULL, 10);
}

static uint64_t worked(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void slow(void) {
  static __thread uint64_t last;
  static long percent = -1;
  if (percent < 0) percent = setting("VEILCAST_PLANTED_SLOW");
  if (percent == 0) return;
  uint64_t now = worked();
  uint64_t until = now + (last == 0 ? 0 : (now - last) * (uint64_t)percent / 100);
  while (now < until) now = worked();
  last = now;
}

/* RTP and not RTCP, STUN or DTLS (RFC 5761, RFC 7983). */
static int is_media(const struct msghdr *message) {
  if (message->msg_iovlen == 0 || message->msg_iov[0].iov_len < 12) return 0;
  const uint8_t *bytes = message->msg_iov[0].iov_base;
  uint8_t type = bytes[1] & 0x7f;
  return bytes[0] >> 6 == 2 && (type < 64 || type > 95);
}

static int is_lost(const struct msghdr *message) {
  static uint32_t sent[DESTINATIONS];
  static long each = -1;
  if (each < 0) each = setting("VEILCAST_PLANTED_LOSS");
  if (each == 0 || message->msg_name == NULL || !is_media(message)) return 0;
  const struct sockaddr_in *to = message->msg_name;
  if (to->sin_family != AF_INET) return 0;
  return ++sent[ntohs(to->sin_port) % DESTINATIONS] % (uint32_t)each == 0;
}

static size_t length_of(const struct msghdr *message) {
  size_t length = 0;
  for (size_t part = 0; part < message->msg_iovlen; part++) length += message->msg_iov[part].iov_len;
  return length;
}

ssize_t sendmsg(int socket, const struct msghdr *message, int flags) {
  static ssize_t (*real)(int, const struct msghdr *, int);
  if (real == NULL) real = (ssize_t(*)(int, const struct msghdr *, int))dlsym(RTLD_NEXT, "sendmsg");
  slow();
  if (is_lost(message)) return (ssize_t)length_of(message);
  return real(socket, message, flags);
}

/* One after the other, so that one of them can be lost. */
int sendmmsg(int socket, struct mmsghdr *messages, unsigned int count, int flags) {
  for (unsigned int at = 0; at < count; at++) {
    ssize_t sent = sendmsg(socket, &messages[at].msg_hdr, flags);
    if (sent < 0) return at == 0 ? -1 : (int)at;
    messages[at].msg_len = (unsigned int)sent;
  }
  return (int)count;
}

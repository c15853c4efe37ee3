/*
 * A kernel as a test wants it, in front of the real one (LD_PRELOAD), for UDP sends alone. SHIM names what it does:
 *   ""        counts
 *   ignorant  knows no UDP_SEGMENT: who asks is told so, and who sends with it all the same is ended
 *   refusing  knows it, and refuses each send with it for one of the reasons for which kernels do
 *   full      every fourth send finds the socket's buffer full
 *   losing, doubling   one datagram in 500 is lost, or sent twice: to see that a test would notice
 * SHIM_COUNTS is a file with room for two numbers of 64 bits: sends of one datagram, and sends of several at once.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

static const char *does = "";
static uint64_t none[2], *counts = none;
static uint64_t calls;

static ssize_t (*real_sendmsg)(int, const struct msghdr *, int);
static int (*real_sendmmsg)(int, struct mmsghdr *, unsigned int, int);
static int (*real_getsockopt)(int, int, int, void *, socklen_t *);

__attribute__((constructor)) static void begin(void) {
  real_sendmsg = dlsym(RTLD_NEXT, "sendmsg");
  real_sendmmsg = dlsym(RTLD_NEXT, "sendmmsg");
  real_getsockopt = dlsym(RTLD_NEXT, "getsockopt");
  if (getenv("SHIM")) does = getenv("SHIM");
  const char *path = getenv("SHIM_COUNTS");
  int file = path ? open(path, O_RDWR) : -1;
  if (file < 0) return;
  void *map = mmap(NULL, sizeof none, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (map != MAP_FAILED) counts = map;
  close(file);
}

static int is(const char *what) { return strcmp(does, what) == 0; }

static int segments(const struct msghdr *message) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR((struct msghdr *)message); c; c = CMSG_NXTHDR((struct msghdr *)message, c))
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_SEGMENT) return 1;
  return 0;
}

static int fail(int why) {
  errno = why;
  return -1;
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *length) {
  if (level == IPPROTO_UDP && option == UDP_SEGMENT && is("ignorant")) return fail(ENOPROTOOPT);
  return real_getsockopt(fd, level, option, value, length);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  if (!message->msg_name) return real_sendmsg(fd, message, flags);
  static const int reasons[] = {EMSGSIZE, EINVAL, EIO};
  const int many = segments(message);
  calls++;
  if (is("full") && calls % 4 == 0) return fail(EAGAIN);
  if (many && is("ignorant")) abort();
  if (many && is("refusing")) return fail(reasons[calls % 3]);
  if (is("losing") && calls % 500 == 0) return (ssize_t)message->msg_iov[0].iov_len;
  const ssize_t sent = real_sendmsg(fd, message, flags);
  if (sent > 0) counts[many]++;
  if (is("doubling") && calls % 500 == 0) real_sendmsg(fd, message, flags);
  return sent;
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags) {
  calls++;
  if (is("full") && calls % 4 == 0) return fail(EAGAIN);
  const int sent = real_sendmmsg(fd, messages, count, flags);
  if (sent > 0) counts[0] += (uint64_t)sent;
  return sent;
}

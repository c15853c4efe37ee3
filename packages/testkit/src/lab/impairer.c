/*
 * Delay, jitter, loss, rate and partition for the packets that iptables puts into queues (NFQUEUE): what netem does, in user
 * space, for kernels that have no netem. Packets stay in the kernel; only their headers come up. One queue is one direction
 * of one path.
 *
 * Reads lines from stdin and answers each on stdout; ends with stdin, so it never outlives who started it.
 *   set QUEUE DELAY_US JITTER_US LOSS_PPM BITS_PER_SECOND HOLD_US   ->  ok QUEUE
 *   count QUEUE                                                     ->  count QUEUE PACKETS LOST BYTES
 * Packets of a queue that nobody has set, or whose impairer died, are lost: an impairment never silently vanishes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <arpa/inet.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

#define QUEUES_MAX 1024
/* Packets that wait in one queue: 1 s of 65,000 a second. A power of two. */
#define WAITING_MAX (1u << 16)
/* Enough of a packet for the length in its IP header. */
#define HEADER_BYTES 40
#define RECEIVE_BUFFER (16 << 20)
/* Wake-ups are late by more than this anyway. */
#define EARLY_NS 30000ull

struct waiting {
  uint64_t due;
  uint32_t id;
};

struct queue {
  uint16_t number;
  struct nfq_handle *handle;
  struct nfq_q_handle *queue;
  uint64_t delay, jitter, hold; /* ns */
  uint64_t loss;                /* of a million */
  uint64_t rate;                /* bits a second; 0: none */
  uint64_t free_at, last_due;   /* when the bottleneck is free, and when the last packet leaves */
  uint64_t packets, lost, bytes;
  struct waiting *ring;
  uint32_t head, tail;
};

static struct queue *queues[QUEUES_MAX];
static struct pollfd polled[QUEUES_MAX + 1];
static int count;
static uint64_t now;
static uint64_t seed = 88172645463325252ull;

static uint64_t clock_ns(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (uint64_t)at.tv_sec * 1000000000ull + (uint64_t)at.tv_nsec;
}

/* xorshift64: the same losses in every run. */
static uint64_t below(uint64_t bound) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return bound == 0 ? 0 : seed % bound;
}

static uint64_t length_of(struct nfq_data *packet) {
  unsigned char *header;
  int length = nfq_get_payload(packet, &header);
  if (length >= 20 && header[0] >> 4 == 4) return (uint64_t)header[2] << 8 | header[3];
  if (length >= 40 && header[0] >> 4 == 6) return ((uint64_t)header[4] << 8 | header[5]) + 40;
  return 0;
}

static int arrived(struct nfq_q_handle *kernel, struct nfgenmsg *message, struct nfq_data *packet, void *context) {
  (void)message;
  struct queue *queue = context;
  struct nfqnl_msg_packet_hdr *header = nfq_get_msg_packet_hdr(packet);
  if (header == NULL) return 0;
  uint32_t id = ntohl(header->packet_id);
  uint64_t bytes = length_of(packet);
  uint64_t starts = queue->free_at > now ? queue->free_at : now;
  queue->packets += 1;
  queue->bytes += bytes;
  int is_lost = below(1000000) < queue->loss || queue->head - queue->tail == WAITING_MAX;
  int is_full = queue->rate > 0 && starts - now > queue->hold;
  if (is_lost || is_full) {
    queue->lost += 1;
    return nfq_set_verdict(kernel, id, NF_DROP, 0, NULL);
  }
  if (queue->rate > 0) starts += bytes * 8000000000ull / queue->rate;
  queue->free_at = starts;
  uint64_t due = starts + queue->delay + below(queue->jitter + 1);
  /* None overtakes another: they are let go by "all up to this one". */
  if (due < queue->last_due) due = queue->last_due;
  queue->last_due = due;
  queue->ring[queue->head++ & (WAITING_MAX - 1)] = (struct waiting){due, id};
  return 0;
}

static struct queue *queue_of(uint16_t number) {
  for (int at = 0; at < count; at += 1)
    if (queues[at]->number == number) return queues[at];
  return NULL;
}

/* A socket each: what one is told must not be read by another that waits for an answer of the kernel. */
static struct queue *open_queue(uint16_t number) {
  struct queue *queue = calloc(1, sizeof *queue);
  if (count == QUEUES_MAX || queue == NULL) return NULL;
  queue->number = number;
  queue->ring = calloc(WAITING_MAX, sizeof *queue->ring);
  queue->handle = nfq_open();
  if (queue->ring == NULL || queue->handle == NULL) return NULL;
  queue->queue = nfq_create_queue(queue->handle, number, arrived, queue);
  if (queue->queue == NULL || nfq_set_mode(queue->queue, NFQNL_COPY_PACKET, HEADER_BYTES) < 0) return NULL;
  nfq_set_queue_maxlen(queue->queue, WAITING_MAX);
  int file = nfq_fd(queue->handle), size = RECEIVE_BUFFER, on = 1;
  setsockopt(file, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  setsockopt(file, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof on);
  polled[count + 1] = (struct pollfd){.fd = file, .events = POLLIN};
  queues[count++] = queue;
  return queue;
}

static void obey(const char *line) {
  unsigned number;
  unsigned long long delay, jitter, loss, rate, hold;
  if (sscanf(line, "set %u %llu %llu %llu %llu %llu", &number, &delay, &jitter, &loss, &rate, &hold) == 6) {
    struct queue *queue = queue_of((uint16_t)number);
    if (queue == NULL) queue = open_queue((uint16_t)number);
    if (queue == NULL) {
      printf("failed %u %s\n", number, strerror(errno));
      return;
    }
    queue->delay = delay * 1000;
    queue->jitter = jitter * 1000;
    queue->loss = loss;
    queue->rate = rate;
    queue->hold = hold * 1000;
    /* What waits keeps its time, and what comes does not overtake it. */
    queue->free_at = 0;
    printf("ok %u\n", number);
  } else if (sscanf(line, "count %u", &number) == 1) {
    struct queue *queue = queue_of((uint16_t)number);
    unsigned long long packets = queue ? queue->packets : 0, lost = queue ? queue->lost : 0;
    printf("count %u %llu %llu %llu\n", number, packets, lost, (unsigned long long)(queue ? queue->bytes : 0));
  } else {
    printf("unknown\n");
  }
}

/* Returns 0 at the end of stdin. */
static int read_lines(void) {
  static char text[4096];
  static size_t length;
  ssize_t got = read(0, text + length, sizeof text - 1 - length);
  if (got <= 0) return got < 0 && errno == EINTR;
  length += (size_t)got;
  text[length] = 0;
  char *line = text, *end;
  for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
    *end = 0;
    obey(line);
  }
  length -= (size_t)(line - text);
  memmove(text, line, length);
  fflush(stdout);
  return length < sizeof text - 1;
}

static void receive(struct queue *queue) {
  static char message[65536] __attribute__((aligned(8)));
  for (int turn = 0; turn < 64; turn += 1) {
    ssize_t length = recv(nfq_fd(queue->handle), message, sizeof message, MSG_DONTWAIT);
    if (length <= 0) return;
    nfq_handle_packet(queue->handle, message, (int)length);
  }
}

static void let_go(struct queue *queue) {
  uint32_t id = 0;
  int any = 0;
  for (; queue->head != queue->tail; queue->tail += 1, any = 1) {
    struct waiting *first = &queue->ring[queue->tail & (WAITING_MAX - 1)];
    if (first->due > now + EARLY_NS) break;
    id = first->id;
  }
  if (any) nfq_set_verdict_batch(queue->queue, id, NF_ACCEPT);
}

static uint64_t next_due(void) {
  uint64_t next = UINT64_MAX;
  for (int at = 0; at < count; at += 1) {
    struct queue *queue = queues[at];
    if (queue->head == queue->tail) continue;
    uint64_t due = queue->ring[queue->tail & (WAITING_MAX - 1)].due;
    if (due < next) next = due;
  }
  return next;
}

int main(void) {
  struct sched_param priority = {.sched_priority = 20};
  /* Without it the delay's p99 doubles on a busy machine. */
  if (sched_setscheduler(0, SCHED_FIFO, &priority) < 0) perror("SCHED_FIFO");
  prctl(PR_SET_TIMERSLACK, 1000);
  polled[0] = (struct pollfd){.fd = 0, .events = POLLIN};
  for (;;) {
    uint64_t next = next_due();
    now = clock_ns();
    uint64_t wait = next > now ? next - now : 0;
    struct timespec until = {.tv_sec = (time_t)(wait / 1000000000ull), .tv_nsec = (long)(wait % 1000000000ull)};
    if (ppoll(polled, (nfds_t)count + 1, next == UINT64_MAX ? NULL : &until, NULL) < 0 && errno != EINTR) return 1;
    now = clock_ns();
    if (polled[0].revents != 0 && !read_lines()) return 0;
    for (int at = 0; at < count; at += 1)
      if (polled[at + 1].revents != 0) receive(queues[at]);
    now = clock_ns();
    for (int at = 0; at < count; at += 1) let_go(queues[at]);
  }
}

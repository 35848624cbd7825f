/* The plain packets of the relay, forwarded by a thread that never holds the interpreter's lock.
 *
 * Plain is a packet in order of a stream that was lent: authentic, of a frame that may go out, to viewers over UDP. All
 * else is handed to Python with nothing done about it, and what it does is what it does without a pump. A stream is with
 * one side at a time: a packet of it that is not plain gives it back, with all that follow; Python lends it again.
 *
 * One lock guards what both sides touch: streams, addresses, what was handed over, and every SRTP session. Nobody holds
 * it while it waits. Before authentication a packet's length, first byte and SSRC are read, and where it came from.
 *
 * media/forwarding/stream.py and slot.py are the reference: for the same input both give the same bytes.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#include "pump.h"

_Static_assert(sizeof(struct state) == 112 && sizeof(struct viewer) == 144, "as media/pump/lent.py packs them");

enum { REPLAYED = 9, TOO_OLD = 10 }; /* results of libsrtp */
enum { LEAST_PACKET = 13, TIME_WORDS = 4, EXTENDED = 0x90, PLAIN = 0x80, MARKER = 0x80, ONE_BYTE_FORM = 0xBEDE };

#define BUSY 0.00025 /* seconds between batches */
#define PAUSE 80000 /* nanoseconds until a busy thread looks again; the kernel adds 50,000 */

typedef int (*srtp_call)(void *session, void *packet, int *length);

static pthread_mutex_t the_lock = PTHREAD_MUTEX_INITIALIZER;
static srtp_call libsrtp_protect, libsrtp_unprotect, libsrtp_protect_rtcp, libsrtp_unprotect_rtcp;
static int (*libsrtp_remove_stream)(void *session, unsigned int ssrc);

static void lock(void) { pthread_mutex_lock(&the_lock); }
static void unlock(void) { pthread_mutex_unlock(&the_lock); }

/* --- libsrtp, by one thread at a time -------------------------------------------------------------------------------- */

void pump_use(srtp_call protect, srtp_call unprotect, srtp_call protect_rtcp, srtp_call unprotect_rtcp,
              int (*remove_stream)(void *, unsigned int)) {
    libsrtp_protect = protect;
    libsrtp_unprotect = unprotect;
    libsrtp_protect_rtcp = protect_rtcp;
    libsrtp_unprotect_rtcp = unprotect_rtcp;
    libsrtp_remove_stream = remove_stream;
}

#define SHARED(name)                                              \
    int pump_##name(void *session, void *packet, int *length)     \
    {                                                             \
        lock();                                                   \
        int result = libsrtp_##name(session, packet, length);     \
        unlock();                                                 \
        return result;                                            \
    }
SHARED(protect)
SHARED(unprotect)
SHARED(protect_rtcp)
SHARED(unprotect_rtcp)

int pump_remove_stream(void *session, unsigned int ssrc) {
    lock();
    int result = libsrtp_remove_stream(session, ssrc);
    unlock();
    return result;
}

/* --- bytes ----------------------------------------------------------------------------------------------------------- */

static uint16_t read16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }
static uint32_t read32(const uint8_t *at) { return (uint32_t)read16(at) << 16 | read16(at + 2); }
static void write16(uint8_t *at, uint16_t value) { at[0] = (uint8_t)(value >> 8); at[1] = (uint8_t)value; }
static void write32(uint8_t *at, uint32_t value) { write16(at, (uint16_t)(value >> 16)); write16(at + 2, (uint16_t)value); }

/* Where the two bytes of a header extension start, 0 if it is not there; of an authentic packet (RFC 8285). */
static int find_extension(const uint8_t *packet, int length, int identifier) {
    int at = 12 + 4 * (packet[0] & 0x0F);
    if (!(packet[0] & 0x10) || at + 4 > length)
        return 0;
    int form = read16(packet + at), end = at + 4 + 4 * read16(packet + at + 2);
    bool narrow = form == ONE_BYTE_FORM;
    if (end > length || !(narrow || (form & 0xFFF0) == 0x1000))
        return 0;
    at += 4;
    while (at < end) {
        if (narrow && packet[at] >> 4 == 15)
            return 0;
        if (!packet[at]) {
            at++;
            continue;
        }
        if (!narrow && at + 2 > end)
            return 0;
        int found = narrow ? packet[at] >> 4 : packet[at];
        int size = narrow ? (packet[at] & 0x0F) + 1 : packet[at + 1];
        int value = at + (narrow ? 1 : 2);
        if (value + size > end)
            return 0;
        if (found == identifier)
            return size == 2 ? value : 0;
        at = value + size;
    }
    return 0;
}

/* Bytes of a VP8 payload descriptor; more than there are if it is cut off (media/wire/vp8.py). */
static int descriptor_size(const uint8_t *payload, int size) {
    if (size < 1 || !(payload[0] & 0x80))
        return 1;
    if (size < 2)
        return 2;
    int extension = payload[1], found = 2;
    if (extension & 0x80)
        found += size > 2 && payload[2] & 0x80 ? 2 : 1;
    if (extension & 0x40)
        found++;
    if (extension & 0x30)
        found++;
    return found;
}

/* 0 where none is named. */
static int temporal_layer(const uint8_t *payload, int size) {
    int last = descriptor_size(payload, size) - 1;
    return size > 1 && payload[0] & 0x80 && payload[1] & 0x20 && last < size ? payload[last] >> 6 : 0;
}

static bool begins_keyframe(const uint8_t *payload, int size) {
    if ((payload[0] & 0x17) != 0x10)
        return false;
    int data = descriptor_size(payload, size);
    return data < size && !(payload[data] & 0x01);
}

/* Whether the last packet of a frame ends as encrypted frames end (media/wire/trailer.py). */
static bool has_trailer(const uint8_t *payload, int size, int start) {
    int own = size - start;
    if (own < 1 || payload[size - 1] != 0x4B)
        return false;
    if (own > 1 && payload[size - 2] != 0x53)
        return false;
    return own < 3 || (payload[size - 3] >> 4 < 4 && (payload[size - 3] & 15) < 8);
}

/* --- the last second of a stream ------------------------------------------------------------------------------------- */

static void store(struct kept *place, const uint8_t *payload, int64_t size) {
    uint8_t *copy = malloc((size_t)size + 1);
    free(place->payload);
    if (copy)
        memcpy(copy, payload, (size_t)size);
    place->payload = copy;
    place->size = size;
}

void pump_store(struct stream *stream, int64_t index, const uint8_t *payload, int64_t size) {
    store(&stream->ring.packets[index & stream->ring.mask], payload, size);
}

static void drop(struct kept *place) {
    free(place->payload);
    place->payload = NULL;
}

/* Drop what was stored more than a second ago, to the step that this is called in. */
void pump_expire(struct stream *stream, double now) {
    struct ring *ring = &stream->ring;
    int64_t first = ring->cleared, upto = ring->cleared, old = 0;
    lock();
    if (ring->marked == MARKS)
        old = 1;
    else
        ring->marks[ring->marked++] = (struct mark){now, ring->newest};
    while (old < ring->marked && now - ring->marks[old].at >= 1.0)
        upto = ring->marks[old++].newest;
    memmove(ring->marks, ring->marks + old, sizeof(struct mark) * (size_t)(ring->marked - old));
    ring->marked -= old;
    if (first < ring->newest - ring->mask - 1)
        first = ring->newest - ring->mask - 1;
    for (int64_t number = first + 1; number <= upto; number++)
        if (ring->packets[number & ring->mask].number <= upto)
            drop(&ring->packets[number & ring->mask]);
    if (upto > ring->cleared)
        ring->cleared = upto;
    unlock();
}

/* Of a stream that is nobody's. */
void pump_clear(struct stream *stream) {
    for (int64_t index = 0; index <= stream->ring.mask; index++)
        drop(&stream->ring.packets[index]);
}

/* --- packets out ----------------------------------------------------------------------------------------------------- */

/* What the system does not take is lost, as on any other line. */
static void flush(struct port *port) {
    struct mmsghdr *headers = port->headers_out;
    int sent = 0, count = port->count;
    port->count = 0;
    while (sent < count) {
        int done = sendmmsg(port->fd, headers + sent, (unsigned int)(count - sent), MSG_DONTWAIT);
        if (done > 0)
            sent += done;
        else if (errno == EAGAIN || errno == ENOBUFS)
            return;
        else if (errno != EINTR)
            sent++; /* The error belongs to the first packet: the others may still go. */
    }
}

static void forward(struct pump *pump, struct viewer *viewer, int64_t number, uint32_t timestamp, uint8_t marker,
                    const uint8_t *payload, int size, uint32_t send_time) {
    struct port *port = &pump->ports[viewer->socket];
    if (port->count == port->room) {
        viewer->failed++;
        return;
    }
    uint8_t *packet = port->packets_out + port->count * PACKET;
    int length = 12 + viewer->extension_size + size;
    packet[0] = viewer->extension_size ? EXTENDED : PLAIN;
    packet[1] = marker | viewer->type;
    write16(packet + 2, (uint16_t)(number + viewer->number_offset));
    write32(packet + 4, (uint32_t)(timestamp + viewer->timestamp_offset));
    write32(packet + 8, viewer->ssrc);
    memcpy(packet + 12, viewer->extension, viewer->extension_size);
    if (viewer->time_at) {
        packet[viewer->time_at] = (uint8_t)(send_time >> 16);
        write16(packet + viewer->time_at + 1, (uint16_t)send_time);
    }
    memcpy(packet + 12 + viewer->extension_size, payload, (size_t)size);
    if (libsrtp_protect(viewer->session, packet, &length)) {
        viewer->failed++;
        return;
    }
    memcpy(port->names_out + port->count * NAME, viewer->name, viewer->name_size);
    ((struct iovec *)port->vectors_out)[port->count].iov_len = (size_t)length;
    port->count++;
    viewer->packets++;
    viewer->octets += (uint64_t)size;
    if (number > viewer->highest)
        viewer->highest = number;
}

/* --- packets in ------------------------------------------------------------------------------------------------------ */

static void hand_over(struct pump *pump, int socket, const uint8_t *packet, int length, const uint8_t *name, int name_size,
                      const uint64_t *times, bool opened) {
    if (pump->head - pump->tail >= pump->slots) {
        pump->counts.dropped++;
        return;
    }
    uint64_t index = pump->head % pump->slots;
    pump->handed[index] = (struct handed){.length = length, .socket = socket, .opened = opened};
    memcpy(pump->handed[index].name, name, (size_t)name_size);
    memcpy(pump->packets + index * PACKET, packet, (size_t)length);
    pump->times[index * TIME_WORDS + 2] = times[2];
    pump->times[index * TIME_WORDS + 3] = times[3];
    pump->head++;
}

static void note_arrival(struct stream *stream, const uint8_t *packet, int length, uint32_t nanoseconds) {
    int at = stream->transport_sequence ? find_extension(packet, length, stream->transport_sequence) : 0;
    struct peer *peer = stream->peer;
    if (at && peer->arrived < ARRIVALS) {
        peer->arrivals[2 * peer->arrived] = read16(packet + at);
        peer->arrivals[2 * peer->arrived + 1] = nanoseconds;
        peer->arrived++;
    }
}

/* The beginning or the end of a frame: whether it is encrypted as far as anybody can tell, and may go out. */
static bool may_go_out(const struct stream *stream, struct state *state, uint32_t timestamp, uint8_t marker,
                   const uint8_t *payload, int size) {
    if (stream->audio)
        return has_trailer(payload, size, 0);
    if (timestamp != state->frame) {
        if (!state->ended) {
            state->trusted = 0;
            state->before = state->frame;
        }
        state->ended = 0;
        state->frame = timestamp;
        if (stream->layered && temporal_layer(payload, size) > stream->temporal_layers)
            return false;
    }
    if (marker) {
        if (!has_trailer(payload, size, descriptor_size(payload, size)))
            return false;
        state->ended = state->trusted = 1;
    }
    state->passing = timestamp;
    return state->trusted && !begins_keyframe(payload, size);
}

static void note_jitter(struct state *state, uint32_t clock_rate, uint32_t timestamp, double now) {
    if (timestamp == state->timestamp)
        return;
    double transit = now * clock_rate - timestamp;
    if (state->timestamp >= 0) {
        double distance = transit - state->transit;
        distance = distance < 0 ? -distance : distance;
        if (distance < 0x40000000)
            state->jitter += (distance - state->jitter) / 16;
    }
    state->timestamp = timestamp;
    state->transit = transit;
}

/* An authentic packet of a stream that is lent. False: it is not plain, and nothing was done. */
static bool forward_plain(struct pump *pump, struct stream *stream, const uint8_t *packet, int length, uint32_t nanoseconds,
                          double now) {
    struct state state = stream->state;
    int start = length < 16 ? length : 16 + 4 * read16(packet + 14), size = length - start;
    uint32_t timestamp = read32(packet + 4);
    uint8_t marker = packet[1] & MARKER;
    int64_t number = state.highest + 1;
    if (packet[0] != EXTENDED || (packet[1] & 0x7F) != stream->type || size <= 0 || read16(packet + 2) != (uint16_t)number)
        return false;
    const uint8_t *payload = packet + start;
    if (timestamp != state.passing || marker) {
        note_jitter(&state, stream->clock_rate, timestamp, now);
        if (!may_go_out(stream, &state, timestamp, marker, payload, size))
            return false;
    }
    state.highest = number;
    state.received++;
    state.heard = now;
    state.octets += (uint64_t)length;
    stream->state = state;
    note_arrival(stream, packet, length, nanoseconds);
    number -= state.shift;
    struct kept *place = &stream->ring.packets[number & stream->ring.mask];
    place->number = stream->ring.newest = number;
    place->stamp = (int64_t)timestamp << 8 | marker;
    store(place, payload, size);
    uint32_t send_time = (uint32_t)((int64_t)(now * 262144.0) & 0xFFFFFF);
    for (int64_t index = 0; index < stream->viewing; index++)
        forward(pump, &stream->viewers[index], number, timestamp, marker, payload, size, send_time);
    return true;
}

/* An authentic repair while nothing is missing: sent to probe for bandwidth, of no use otherwise. */
static bool swallow_repair(struct stream *stream, const uint8_t *packet, int length, uint32_t nanoseconds) {
    if (stream->repairs || (packet[0] & 0x2F) || (packet[1] & 0x7F) != stream->repair_type)
        return false;
    stream->state.repaired += (uint64_t)length;
    note_arrival(stream, packet, length, nanoseconds);
    return true;
}

static unsigned int bucket(const uint8_t *name, int size) {
    uint32_t hash = 2166136261u;
    for (int index = 0; index < size; index++)
        hash = (hash ^ name[index]) * 16777619u;
    return (hash ^ hash >> 15) % BUCKETS;
}

static struct address **find_address(struct pump *pump, const uint8_t *name, int size) {
    struct address **at = &pump->addresses[bucket(name, size)];
    while (*at && ((*at)->size != size || memcmp((*at)->name, name, (size_t)size)))
        at = &(*at)->next;
    return at;
}

/* Whose packet this is, if it looks like one of RTP. */
static struct stream *find_stream(struct pump *pump, const uint8_t *packet, int length, const uint8_t *name, int size) {
    if (length < LEAST_PACKET || length >= MOST_PACKET || (packet[0] & 0xC0) != 0x80)
        return NULL;
    struct address *address = *find_address(pump, name, size);
    struct stream *stream = address ? address->peer->streams : NULL;
    uint32_t ssrc = read32(packet + 8);
    while (stream && stream->ssrc != ssrc && (stream->repair_ssrc != ssrc || !stream->repair_type))
        stream = stream->next;
    return stream;
}

static void take(struct pump *pump, int socket, uint8_t *packet, int length, const uint8_t *name, int size,
                 const uint64_t *times, double now) {
    struct stream *stream = find_stream(pump, packet, length, name, size);
    bool opened = stream && stream->lent;
    if (opened) {
        int result = libsrtp_unprotect(stream->session, packet, &length);
        uint32_t nanoseconds = (uint32_t)times[3];
        bool done = result || (read32(packet + 8) == stream->ssrc
                                   ? forward_plain(pump, stream, packet, length, nanoseconds, now)
                                   : swallow_repair(stream, packet, length, nanoseconds));
        if (result)
            *(result == REPLAYED || result == TOO_OLD ? &pump->counts.replayed : &pump->counts.bad_tag) += 1;
        if (done) {
            pump->counts.received++;
            return;
        }
        stream->lent = false;
    }
    hand_over(pump, socket, packet, length < PACKET ? length : PACKET, name, size, times, opened);
    if (stream)
        stream->after = pump->head;
}

/* --- the thread ------------------------------------------------------------------------------------------------------ */

static void receive(struct pump *pump, int socket, double *at) {
    struct port *port = &pump->ports[socket];
    struct mmsghdr *headers = port->headers_in;
    struct timespec clock;
    int count = recvmmsg(port->fd, headers, (unsigned int)port->batch, MSG_DONTWAIT, NULL);
    if (count <= 0)
        return;
    clock_gettime(CLOCK_MONOTONIC, &clock);
    double now = *at = (double)(clock.tv_sec * 1000000000 + clock.tv_nsec) / 1e9;
    lock();
    for (int index = 0; index < count; index++)
        take(pump, socket, port->packets_in + index * PACKET, (int)headers[index].msg_len, port->names_in + index * NAME,
             port->name_size, port->times_in + index * TIME_WORDS, now);
    bool news = pump->head != pump->tail && !pump->told;
    pump->told = pump->told || news;
    unlock();
    for (int index = 0; index < pump->sockets; index++)
        if (pump->ports[index].count)
            flush(&pump->ports[index]);
    if (news)
        eventfd_write(pump->event, 1);
}

static void *run(void *argument) {
    static const struct timespec pause = {.tv_nsec = PAUSE};
    struct pump *pump = argument;
    struct pollfd readable[SOCKETS + 1];
    double now = 0;
    for (int index = 0; index < pump->sockets; index++)
        readable[index] = (struct pollfd){.fd = pump->ports[index].fd, .events = POLLIN};
    readable[pump->sockets] = (struct pollfd){.fd = pump->stop, .events = POLLIN};
    for (;;) {
        double before = now;
        for (int index = 0; index < pump->sockets; index++)
            receive(pump, index, &now);
        /* Being woken costs more than a packet: while they come close together they are looked for. */
        if (now > before && now - before < BUSY)
            clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        else if (now == before && poll(readable, (nfds_t)pump->sockets + 1, -1) < 0 && errno != EINTR)
            return NULL;
        if (readable[pump->sockets].revents)
            return NULL;
    }
}

/* 0, or the number of an error. Signals stay with the interpreter's thread. */
int pump_start(struct pump *pump) {
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, NULL, run, pump);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pump->running = !error;
    pump->thread = error ? 0 : thread;
    return error;
}

/* The thread has ended when this returns. */
void pump_stop(struct pump *pump) {
    if (pump->running) {
        eventfd_write(pump->stop, 1);
        pthread_join(pump->thread, NULL);
        pump->running = false;
    }
}

/* --- calls of Python ------------------------------------------------------------------------------------------------- */

/* How much was handed over, from *first on and up to the end of the slots; to be released when all of it was dealt with. */
uint64_t pump_collect(struct pump *pump, uint64_t *first) {
    lock();
    pump->told = false;
    *first = pump->tail % pump->slots;
    uint64_t count = pump->head - pump->tail, most = pump->slots - *first;
    unlock();
    return count < most ? count : most;
}

void pump_release(struct pump *pump, uint64_t count) {
    lock();
    pump->tail += count;
    unlock();
}

/* One packet as if it had come by the first socket; what it makes the pump send stays in the outbox. For tests. */
int pump_take(struct pump *pump, uint8_t *packet, int length, const uint8_t *name, int size, const uint64_t *times, double now) {
    lock();
    take(pump, 0, packet, length, name, size, times, now);
    unlock();
    return pump->ports[0].count;
}

/* Since the last time. */
struct counts pump_counts(struct pump *pump) {
    lock();
    struct counts counts = pump->counts;
    pump->counts = (struct counts){0};
    unlock();
    return counts;
}

/* The address is not known yet. */
void pump_bind(struct pump *pump, struct address *address) {
    lock();
    *find_address(pump, address->name, address->size) = address;
    unlock();
}

void pump_unbind(struct pump *pump, struct address *address) {
    lock();
    struct address **at = find_address(pump, address->name, address->size);
    if (*at)
        *at = address->next;
    address->next = NULL;
    unlock();
}

/* Moves what arrived into ``arrivals``, which has room for all; returns how much. */
uint32_t pump_arrivals(struct peer *peer, uint32_t *arrivals) {
    lock();
    uint32_t count = peer->arrived;
    memcpy(arrivals, peer->arrivals, sizeof(uint32_t) * 2 * count);
    peer->arrived = 0;
    unlock();
    return count;
}

/* Packets of a stream that is not lent are looked for among those of ``peer`` from now on; NULL: no more. */
void pump_register(struct pump *pump, struct stream *stream, struct peer *peer) {
    lock();
    struct stream **at = stream->peer ? &stream->peer->streams : NULL;
    while (at && *at && *at != stream)
        at = &(*at)->next;
    if (at && *at)
        *at = stream->next;
    stream->peer = peer;
    stream->after = pump->head;
    if (peer) {
        stream->next = peer->streams;
        peer->streams = stream;
    }
    unlock();
}

/* False: packets of it that were handed over have to be dealt with before. */
bool pump_lend(struct pump *pump, struct stream *stream) {
    lock();
    stream->lent = stream->peer && pump->tail >= stream->after;
    bool lent = stream->lent;
    unlock();
    return lent;
}

/* The pump has let go of the stream when this returns. */
void pump_recall(struct stream *stream) {
    lock();
    stream->lent = false;
    unlock();
}

/* Since it was lent; of one viewer, or -1. */
struct seen pump_seen(struct stream *stream, int viewer) {
    lock();
    struct seen seen = {.heard = stream->state.heard, .octets = stream->state.octets};
    if (viewer >= 0)
        seen = (struct seen){.octets = stream->viewers[viewer].octets, .packets = stream->viewers[viewer].packets};
    unlock();
    return seen;
}

const char *pump_source(void) { return SOURCE; }

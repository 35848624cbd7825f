/* What Python and the pump say to each other. cffi reads this file too: declarations only. Memory is Python's.
 *
 * Whoever has a stream may look at all of it and at its slots; it is the pump's from pump_lend until pump_recall, or until
 * the pump hands over a packet of it, which Python answers by pump_recall. The rest is the pump's, but for what is filled in
 * before the start. */

enum {
    PACKET = 2048,      /* bytes for a packet: SLOT of media/net/arena.py */
    MOST_PACKET = 1940,
    NAME = 32,          /* bytes for a sockaddr */
    SOCKETS = 4,
    VIEWERS = 16,       /* of one stream; with more it is not lent */
    ARRIVALS = 2048,
    EXTENSION = 44,
    BUCKETS = 4096,
    MARKS = 16,
};

struct state {                                  /* packed by media/pump/lent.py */
    int64_t highest, shift, passing;            /* Numbering, Stream */
    int64_t frame, before, trusted, ended;      /* FrameGuard */
    int64_t timestamp;                          /* Reception */
    double jitter, transit, heard;
    uint64_t received, octets, repaired;        /* since it was lent */
};

struct viewer {                                 /* a slot; packed by media/pump/lent.py */
    void *session;
    int64_t number_offset, timestamp_offset, highest;
    uint64_t packets, octets, failed;           /* since the stream was lent */
    uint32_t ssrc;
    uint8_t type, socket, name_size, extension_size, time_at; /* time_at: where abs-send-time stands, 0 for nowhere */
    uint8_t name[NAME], extension[EXTENSION], unused[3];
};

struct kept { int64_t number, stamp; uint8_t *payload; int64_t size; };     /* media/forwarding/ring.py */
struct mark { double at; int64_t newest; };
struct ring { int64_t mask, newest, cleared, marked; struct kept *packets; struct mark marks[MARKS]; };

struct stream {
    struct state state;
    struct viewer viewers[VIEWERS];
    int64_t viewing;
    struct ring ring;
    struct peer *peer;                          /* NULL: nobody's, not looked for */
    struct stream *next;
    void *session;
    uint64_t after;                             /* what was handed over up to here comes before it is lent */
    uint32_t ssrc, repair_ssrc, clock_rate;
    uint8_t type, repair_type, transport_sequence;
    uint8_t temporal_layers;                    /* the highest that was named */
    bool audio, layered, lent, repairs;         /* repairs: something is missing, so Python looks at them */
};

struct seen { double heard; uint64_t octets, packets; };

struct peer {
    struct stream *streams;
    uint32_t arrived;
    uint32_t arrivals[2 * ARRIVALS];            /* transport-wide number, nanoseconds of the second */
};

struct address { struct address *next; struct peer *peer; uint8_t name[NAME]; int size; };

struct handed { int32_t length, socket, opened; uint8_t name[NAME]; };      /* opened: it was authenticated and decrypted */

struct counts { uint64_t received, bad_tag, replayed, dropped; };  /* dropped: of what was to be handed over */

struct port {                                   /* a socket; headers and what they point to are media/net/mmsg.py's */
    int fd, name_size, batch, room, count;      /* in a batch and in the outbox; waiting in the outbox */
    void *headers_in, *headers_out, *vectors_out;
    unsigned char *packets_in, *names_in, *packets_out, *names_out;
    uint64_t *times_in;
};

struct pump {
    struct counts counts;
    uint64_t head, tail, slots;                 /* handed over so far; of these, dealt with; the most that may wait */
    unsigned char *packets;                      /* what is handed over, as media/net/arena.py has it */
    uint64_t *times;
    struct handed *handed;
    struct port ports[SOCKETS];
    int sockets, event, stop;                   /* event: written to when something was handed over; stop: ends the thread */
    bool told, running;
    unsigned long thread;
    struct address *addresses[BUCKETS];
};

const char *pump_source(void);

void pump_use(int (*protect)(void *, void *, int *), int (*unprotect)(void *, void *, int *),
              int (*protect_rtcp)(void *, void *, int *), int (*unprotect_rtcp)(void *, void *, int *),
              int (*remove_stream)(void *, unsigned int));
int pump_protect(void *session, void *packet, int *length);
int pump_unprotect(void *session, void *packet, int *length);
int pump_protect_rtcp(void *session, void *packet, int *length);
int pump_unprotect_rtcp(void *session, void *packet, int *length);
int pump_remove_stream(void *session, unsigned int ssrc);

int pump_start(struct pump *pump);
void pump_stop(struct pump *pump);
uint64_t pump_collect(struct pump *pump, uint64_t *first);
void pump_release(struct pump *pump, uint64_t count);
struct counts pump_counts(struct pump *pump);
int pump_take(struct pump *pump, uint8_t *packet, int length, const uint8_t *name, int size, const uint64_t *times, double now);

void pump_bind(struct pump *pump, struct address *address);
void pump_unbind(struct pump *pump, struct address *address);
uint32_t pump_arrivals(struct peer *peer, uint32_t *arrivals);

void pump_register(struct pump *pump, struct stream *stream, struct peer *peer);
bool pump_lend(struct pump *pump, struct stream *stream);
void pump_recall(struct stream *stream);
struct seen pump_seen(struct stream *stream, int viewer);
void pump_store(struct stream *stream, int64_t index, const uint8_t *payload, int64_t size);
void pump_expire(struct stream *stream, double now);
void pump_clear(struct stream *stream);

/* A model endpoint that costs next to nothing: one thread, epoll, HTTP/1.1 keep-alive.
 *
 *   mock_upstream [chunks] [pace_ms]
 *
 * It listens on a free loopback port and prints its number. A POST is answered with a plain OpenAI
 * answer of about 1 KB, or, when the body asks for "stream":true, with `chunks` server-sent events,
 * `pace_ms` apart, then one with the usage, then [DONE]. A GET of /stats tells what was seen; any other GET
 * is answered like GET /v1/models.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FD = 4096, EVENTS = 256, INPUT = 1 << 17 };

typedef struct {
    char *input;    /* what was read and not yet answered; allocated once a connection */
    size_t filled;
    int streaming;  /* whether an answer is being paced out */
    long sent;      /* events of that answer so far */
    long long due;  /* when the next one is due, in microseconds */
} Connection;

static Connection connections[MAX_FD];
static int epoll_fd, highest_fd;
static long chunks = 100, pace_us = 10000;
static long answered, streamed, cut_streams, open_streams;
static char plain[4096];
static size_t plain_length;

static long long now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

/* Answers are far smaller than a socket's send buffer; one that does not fit belongs to a dead client. */
static void put(int fd, const char *bytes, size_t length) {
    if (send(fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length) shutdown(fd, SHUT_RDWR);
}

static void put_json(int fd, const char *body) {
    char out[4096];
    int n = snprintf(out, sizeof out,
                     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                     strlen(body), body);
    put(fd, out, (size_t)n);
}

static void make_plain(void) {
    char text[701], body[2048];
    memset(text, 0, sizeof text);
    while (strlen(text) + 5 < sizeof text) strcat(text, "word ");
    int n = snprintf(body, sizeof body,
                     "{\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion\",\"created\":1700000000,"
                     "\"model\":\"mock\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
                     "\"content\":\"%s\"},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
                     "\"usage\":{\"prompt_tokens\":200,\"completion_tokens\":140,\"total_tokens\":340}}",
                     text);
    plain_length = (size_t)snprintf(
        plain, sizeof plain,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", n, body);
}

static void put_event(int fd, const char *data) {
    char out[1024];
    size_t length = strlen("data: \n\n") + strlen(data);
    int n = snprintf(out, sizeof out, "%zx\r\ndata: %s\n\n\r\n", length, data);
    put(fd, out, (size_t)n);
}

static void begin_stream(int fd) {
    static const char head[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    put(fd, head, sizeof head - 1);
    connections[fd].streaming = 1;
    connections[fd].sent = 0;
    connections[fd].due = now_us() + pace_us;
    open_streams++;
}

#define EVENT_HEAD \
    "{\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"mock\","

static void continue_stream(int fd) {
    Connection *c = &connections[fd];
    if (c->sent < chunks) {
        put_event(fd, EVENT_HEAD "\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token\"},"
                                 "\"finish_reason\":null}]}");
        c->sent++;
        c->due += pace_us;
        return;
    }
    put_event(fd, EVENT_HEAD "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}");
    put_event(fd, EVENT_HEAD "\"choices\":[],\"usage\":{\"prompt_tokens\":200,\"completion_tokens\":100,"
                             "\"total_tokens\":300}}");
    put_event(fd, "[DONE]");
    put(fd, "0\r\n\r\n", 5);
    c->streaming = 0;
    open_streams--;
    streamed++;
}

static void answer(int fd, const char *request, const char *body, size_t body_length) {
    if (!strncmp(request, "GET /stats", 10)) {
        char out[256];
        snprintf(out, sizeof out,
                 "{\"answered\":%ld,\"streamed\":%ld,\"cut_streams\":%ld,\"open_streams\":%ld}", answered,
                 streamed, cut_streams, open_streams);
        put_json(fd, out);
    } else if (!strncmp(request, "GET ", 4)) {
        put_json(fd, "{\"object\":\"list\",\"data\":[{\"id\":\"mock\",\"object\":\"model\"}]}");
    } else if (memmem(body, body_length, "\"stream\":true", 13) ||
               memmem(body, body_length, "\"stream\": true", 14)) {
        begin_stream(fd);
    } else {
        put(fd, plain, plain_length);
        answered++;
    }
}

static void drop(int fd) {
    if (connections[fd].streaming) {
        cut_streams++;
        open_streams--;
    }
    connections[fd].streaming = 0;
    connections[fd].filled = 0;
    close(fd);
}

/* Bytes of the first whole request in the input, 0 while it is not all there. */
static size_t whole_request(const Connection *c, size_t *head) {
    char *end = memmem(c->input, c->filled, "\r\n\r\n", 4);
    if (!end) return 0;
    *head = (size_t)(end - c->input) + 4;
    *end = 0;
    char *header = strcasestr(c->input, "\r\ncontent-length:");
    *end = '\r';
    size_t length = header ? strtoul(header + 17, NULL, 10) : 0;
    return c->filled >= *head + length ? *head + length : 0;
}

static void readable(int fd) {
    Connection *c = &connections[fd];
    if (!c->input && !(c->input = malloc(INPUT + 1))) die("malloc");
    ssize_t got = recv(fd, c->input + c->filled, INPUT - c->filled, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        drop(fd);
        return;
    }
    c->filled += (size_t)got;
    size_t head = 0, size;
    while (!c->streaming && (size = whole_request(c, &head))) {
        answer(fd, c->input, c->input + head, size - head);
        memmove(c->input, c->input + size, c->filled - size);
        c->filled -= size;
    }
}

/* Sends what is due and sets the timer to what is due next. Microseconds matter: with milliseconds the
 * streams would fall into step, and a proxy would be measured on bursts. */
static void pace(int timer) {
    long long now = now_us(), next = 0;
    for (int fd = 0; open_streams && fd <= highest_fd; fd++) {
        if (connections[fd].streaming && connections[fd].due <= now) continue_stream(fd);
        if (connections[fd].streaming && (!next || connections[fd].due < next)) next = connections[fd].due;
    }
    struct itimerspec at = {.it_value = {next / 1000000, next % 1000000 * 1000}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static void watch(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
}

static void welcome(int listener) {
    int one = 1, fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (fd >= MAX_FD) {
            close(fd);
            continue;
        }
        if (fd > highest_fd) highest_fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        watch(fd);
    }
}

static int listen_anywhere(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 1024)) die("listen");
    if (getsockname(fd, (struct sockaddr *)&address, &size)) die("getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv) {
    if (argc > 1) chunks = atol(argv[1]);
    if (argc > 2) pace_us = (long)(atof(argv[2]) * 1000);
    signal(SIGPIPE, SIG_IGN);
    make_plain();
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), listener = listen_anywhere();
    watch(listener);
    watch(timer);
    struct epoll_event events[EVENTS];
    for (;;) {
        int n = epoll_wait(epoll_fd, events, EVENTS, -1), ticked = 0;
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener)
                welcome(listener);
            else if (fd == timer)
                ticked = 1;
            else
                readable(fd);
        }
        if (open_streams || ticked) pace(timer);
    }
}

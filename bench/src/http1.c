/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How fast heads are parsed: nanoseconds a head, best of nine runs, CPU time of this thread.
 *
 *     meson test --benchmark -C build-release -v http1
 */
#include <stdio.h>
#include <time.h>

#include "wire/http1.h"

enum { RUNS = 9, HEADS = 200000 };

static const struct {
    const char *name;
    bool request;
    struct str bytes;
} cases[] = {
    {"request of a browser", true,
     STR_INIT("GET http://www.school.example/images/logo.png?x=1 HTTP/1.1\r\n"
              "Host: www.school.example\r\nConnection: keep-alive\r\n"
              "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
              "Chrome/120.0.0.0 Safari/537.36\r\n"
              "Accept: image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8\r\n"
              "Referer: http://www.school.example/lessons/volcanoes\r\n"
              "Accept-Encoding: gzip, deflate\r\nAccept-Language: en-GB,en;q=0.9\r\n"
              "Cookie: session=0123456789abcdef0123456789abcdef; theme=light; seen=1700000000\r\n"
              "\r\n")},
    {"request of a load client", true,
     STR_INIT("GET http://127.0.0.1:8000/1k HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n")},
    {"response", false,
     STR_INIT("HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 23 Nov 2026 10:15:00 GMT\r\n"
              "Content-Type: text/html; charset=utf-8\r\nContent-Length: 1024\r\n"
              "Connection: keep-alive\r\nETag: \"abcdef\"\r\n\r\n")},
};

static int64_t now_ns(void)
{
    struct timespec time = {0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static enum err parse(struct str bytes, bool request)
{
    static struct http1_head head;
    size_t len = 0;
    enum http1_fault fault = HTTP1_FAULT_NONE;
    return request ? http1_parse_request(bytes, &head, &len, &fault)
                   : http1_parse_response(bytes, HTTP1_GET, &head, &len, &fault);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t best = INT64_MAX;
        for (int run = 0; run < RUNS; run++) {
            int64_t start = now_ns();
            for (int n = 0; n < HEADS; n++) {
                if (parse(cases[i].bytes, cases[i].request) != ERR_OK) {
                    return 1;
                }
            }
            int64_t took = now_ns() - start;
            best = took < best ? took : best;
        }
        int64_t bytes = (int64_t)cases[i].bytes.len;
        printf("%-25s %4lld bytes %5lld ns %6lld MB/s\n", cases[i].name, (long long)bytes,
               (long long)(best / HEADS), (long long)(bytes * HEADS * 1000 / best));
    }
    return 0;
}

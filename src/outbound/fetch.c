/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fetching by libcurl's easy interface. Redirects are followed here, one request each, so that each
 * step's scheme and address can be refused. */
#include "outbound/fetch.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/str.h"
#include "wire/addr.h"

enum { REDIRECTS_MAX = 5, CONNECT_TIMEOUT_MS = 15000, SLOW_BYTES = 100, SLOW_SECONDS = 60 };

/* One fetch under way. */
struct fetch {
    const struct fetch_job *job;
    struct fetch_result *result;
    CURL *curl;
    bool inside;     /* the first address was an inside one: the school's own server */
    bool redirected; /* past the first request */
    bool refused;    /* a connection to an inside address was refused */
    bool too_large;
    bool write_failed;
};

enum err fetch_init(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? ERR_OK : ERR_SYSTEM;
}

void fetch_fini(void)
{
    curl_global_cleanup();
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct fetch *fetch = context;
    size_t n = size * count;
    long status = 0;
    (void)curl_easy_getinfo(fetch->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        return n; /* an error page or a redirect's words are nobody's list */
    }
    if (n > fetch->job->max_bytes - fetch->result->bytes) {
        fetch->too_large = true;
        return 0;
    }
    for (size_t done = 0; done < n;) {
        ssize_t written = write(fetch->job->out_fd, bytes + done, n - done);
        if (written <= 0) {
            fetch->write_failed = true;
            return 0;
        }
        done += (size_t)written;
    }
    fetch->result->bytes += n;
    return n;
}

/* Copies a header's value if the line is that header and the value fits and is printable. */
static void take_header(struct str line, struct str name, char *to)
{
    struct str field;
    struct str value;
    if (!str_cut(line, ':', &field, &value) || !str_eq_nocase(field, name)) {
        return;
    }
    value = str_trim_space(value);
    bool printable = value.len < FETCH_TEXT_MAX;
    for (size_t i = 0; i < value.len; i++) {
        printable = printable && value.p[i] >= ' ' && value.p[i] <= '~';
    }
    if (printable && value.len != 0) {
        memcpy(to, value.p, value.len);
        to[value.len] = '\0';
    }
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct fetch *fetch = context;
    struct str line = str_make(bytes, size * count);
    take_header(line, STR("etag"), fetch->result->etag);
    take_header(line, STR("last-modified"), fetch->result->modified);
    return size * count;
}

static int on_progress(void *context, curl_off_t total, curl_off_t now, curl_off_t up_total,
                       curl_off_t up_now)
{
    struct fetch *fetch = context;
    (void)up_total;
    (void)up_now;
    if (fetch->job->progress != NULL && !fetch->redirected) {
        fetch->job->progress(fetch->job->context, (uint64_t)now, (uint64_t)total);
    }
    return 0;
}

static bool is_inside(const struct sockaddr *from)
{
    struct addr addr = {{0}};
    if (from->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, from, sizeof(in));
        addr.bytes[10] = 0xff;
        addr.bytes[11] = 0xff;
        memcpy(addr.bytes + 12, &in.sin_addr, 4);
        return addr_is_special(&addr);
    }
    if (from->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, from, sizeof(in6));
        memcpy(addr.bytes, &in6.sin6_addr, 16);
        return addr_is_special(&addr);
    }
    return true;
}

/* The first address is the operator's own word; where a redirect leads is the server's. */
static curl_socket_t on_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct fetch *fetch = context;
    (void)purpose;
    bool inside = is_inside(&address->addr);
    if (fetch->redirected && inside && !fetch->inside) {
        fetch->refused = true;
        return CURL_SOCKET_BAD;
    }
    if (!fetch->redirected) {
        fetch->inside = fetch->inside || inside;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void set_options(struct fetch *fetch, const char *address, struct curl_slist *headers)
{
    CURL *curl = fetch->curl;
    bool secure = str_starts(str_from(fetch->job->address), STR("https://"));
    curl_easy_setopt(curl, CURLOPT_URL, address);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, secure ? "https" : "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "lodge/" LODGE_VERSION);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)fetch->job->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SLOW_SECONDS);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, fetch);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, fetch);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, fetch);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, fetch);
}

static enum err append_header(struct curl_slist **list, const char *name, const char *value)
{
    char line[FETCH_TEXT_MAX + 32];
    if (value == NULL || value[0] == '\0') {
        return ERR_OK;
    }
    int n = snprintf(line, sizeof(line), "%s: %s", name, value);
    if (n < 0 || (size_t)n >= sizeof(line)) {
        return ERR_LIMIT;
    }
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer == NULL) {
        return ERR_MEMORY;
    }
    *list = longer;
    return ERR_OK;
}

static enum err fail(struct fetch *fetch, enum err err, const char *why)
{
    snprintf(fetch->result->why, sizeof(fetch->result->why), "%s", why);
    return err;
}

static enum err explain(struct fetch *fetch, CURLcode code)
{
    if (fetch->too_large) {
        return fail(fetch, ERR_LIMIT, "the file is larger than allowed");
    }
    if (fetch->write_failed) {
        return fail(fetch, ERR_SYSTEM, "the disk took no more");
    }
    if (fetch->refused) {
        return fail(fetch, ERR_INVALID, "the server sent us on to an address inside the network");
    }
    return fail(fetch, ERR_SYSTEM, curl_easy_strerror(code));
}

/* What to do after a whole answer: ERR_AGAIN to go on at `next`. */
static enum err judge(struct fetch *fetch, char next[FETCH_ADDRESS_MAX])
{
    long status = 0;
    const char *location = NULL;
    (void)curl_easy_getinfo(fetch->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200) {
        return ERR_OK;
    }
    if (status == 304) {
        fetch->result->unchanged = true;
        return ERR_OK;
    }
    (void)curl_easy_getinfo(fetch->curl, CURLINFO_REDIRECT_URL, &location);
    if (location != NULL) {
        int n = snprintf(next, FETCH_ADDRESS_MAX, "%s", location);
        fetch->redirected = true;
        return n < FETCH_ADDRESS_MAX ? ERR_AGAIN
                                     : fail(fetch, ERR_LIMIT, "the redirect is too long");
    }
    snprintf(fetch->result->why, sizeof(fetch->result->why), "the server answered %ld", status);
    return ERR_INVALID;
}

static enum err follow(struct fetch *fetch, struct curl_slist *headers)
{
    char address[FETCH_ADDRESS_MAX];
    int n = snprintf(address, sizeof(address), "%s", fetch->job->address);
    if (n >= FETCH_ADDRESS_MAX) {
        return fail(fetch, ERR_LIMIT, "the address is too long");
    }
    for (int step = 0; step <= REDIRECTS_MAX; step++) {
        set_options(fetch, address, headers);
        CURLcode code = curl_easy_perform(fetch->curl);
        if (code != CURLE_OK) {
            return explain(fetch, code);
        }
        enum err err = judge(fetch, address);
        if (err != ERR_AGAIN) {
            return err;
        }
    }
    return fail(fetch, ERR_LIMIT, "too many redirects");
}

enum err fetch_run(const struct fetch_job *job, struct fetch_result *ret_result)
{
    CHECK(job->address != NULL && job->out_fd >= 0);
    *ret_result = (struct fetch_result){0};
    struct fetch fetch = {.job = job, .result = ret_result, .curl = curl_easy_init()};
    struct curl_slist *headers = NULL;
    enum err err = ERR_MEMORY;
    if (fetch.curl == NULL) {
        return fail(&fetch, ERR_MEMORY, err_text(ERR_MEMORY));
    }
    err = append_header(&headers, "If-None-Match", job->etag);
    if (err == ERR_OK) {
        err = append_header(&headers, "If-Modified-Since", job->modified);
    }
    if (err == ERR_OK) {
        err = follow(&fetch, headers);
    } else {
        (void)fail(&fetch, err, err_text(err));
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(fetch.curl);
    return err;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions to an API by libcurl's easy interface. */
#include "outbound/call.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "base/check.h"

enum { CONNECT_TIMEOUT_MS = 5000, STATUS_OK = 200 };

struct caller {
    CURL *curl;
    struct buf roots;
    struct buf *to; /* of the call under way */
    bool too_large;
};

enum err caller_new(struct str roots, struct caller **ret_caller)
{
    struct caller *caller = calloc(1, sizeof(*caller));
    if (caller == NULL) {
        return ERR_MEMORY;
    }
    buf_init(&caller->roots, roots.len + 1);
    buf_append(&caller->roots, roots);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
        caller->curl = curl_easy_init();
    }
    if (caller->curl == NULL || buf_err(&caller->roots) != ERR_OK) {
        caller_free(caller);
        return ERR_SYSTEM;
    }
    *ret_caller = caller;
    return ERR_OK;
}

void caller_free(struct caller *caller)
{
    if (caller != NULL) {
        curl_easy_cleanup(caller->curl);
        curl_global_cleanup();
        buf_fini(&caller->roots);
        free(caller);
    }
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct caller *caller = context;
    buf_append(caller->to, str_make(bytes, size * count));
    caller->too_large = buf_err(caller->to) != ERR_OK;
    return caller->too_large ? 0 : size * count;
}

/* Set anew for each call: nothing of one, a credential least of all, is left for the next. The
 * connections stay. */
static void set_options(struct caller *caller, const struct call *call, struct curl_slist *headers)
{
    CURL *curl = caller->curl;
    struct curl_blob roots = {
        .data = caller->roots.p, .len = caller->roots.len, .flags = CURL_BLOB_NOCOPY};
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, call->address);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "lodge/" LODGE_VERSION);
    curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &roots);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, caller);
    if (call->form.p != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)call->form.len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->form.p);
    }
}

static enum err judge(struct caller *caller, CURLcode code, long *ret_status, const char **why)
{
    *ret_status = 0;
    if (caller->too_large) {
        *why = "the answer is larger than allowed";
        return ERR_LIMIT;
    }
    if (code != CURLE_OK) {
        *why = curl_easy_strerror(code);
        return ERR_SYSTEM;
    }
    (void)curl_easy_getinfo(caller->curl, CURLINFO_RESPONSE_CODE, ret_status);
    if (*ret_status != STATUS_OK) {
        *why = "the server refused";
        return ERR_INVALID;
    }
    return ERR_OK;
}

enum err caller_run(struct caller *caller, const struct call *call, struct buf *to,
                    long *ret_status, const char **why)
{
    struct curl_slist *headers = NULL;
    size_t before = to->len;
    CHECK(call->address != NULL);
    if (call->header != NULL) {
        headers = curl_slist_append(NULL, call->header);
        if (headers == NULL) {
            return ERR_MEMORY;
        }
    }
    caller->to = to;
    caller->too_large = false;
    set_options(caller, call, headers);
    CURLcode code = curl_easy_perform(caller->curl);
    enum err err = judge(caller, code, ret_status, why);
    if (err != ERR_OK) {
        to->len = before;
    }
    curl_slist_free_all(headers);
    return err;
}

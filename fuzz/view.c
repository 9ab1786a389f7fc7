/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any document in a view of the console: what its texts say changes no markup. The first byte
 * chooses the view. The document is shown twice, with each '@' of its texts once harmless and once
 * hostile; both pages have the same tags and quotes. */
#include <jansson.h>
#include <string.h>

#include "base/check.h"
#include "web/views.h"

enum { ROOM = 1 << 22, DEEP = 16 };

typedef void (*view_function)(struct buf *to, const json_t *document);

static const view_function VIEWS[] = {
    view_records_view, view_records_list, view_records_form, view_records_history,
    view_search,       view_start,        view_accounts,     view_accounts_one,
    view_audit,        view_policy,       view_notices,      view_sign_in,
    view_trouble,      view_account,      view_records_look, view_records_import,
    view_policy_cell,  view_records_move, view_first_run,    view_accounts_change,
};

static json_t *with_text(const char *text, const char *in_place_of_at)
{
    struct buf to;
    buf_init(&to, ROOM);
    for (; *text != '\0'; text++) {
        if (*text == '@') {
            buf_append(&to, str_from(in_place_of_at));
        } else {
            buf_append_byte(&to, *text);
        }
    }
    json_t *made = json_stringn(to.len != 0 ? to.p : "", to.len);
    buf_fini(&to);
    return made;
}

/* A copy in which '@' became that text. */
static json_t *with(const json_t *value, const char *text, unsigned depth)
{
    size_t i;
    const char *key;
    json_t *member;
    json_t *copy = NULL;
    if (json_is_string(value)) {
        return with_text(json_string_value(value), text);
    }
    if (depth == DEEP || (!json_is_object(value) && !json_is_array(value))) {
        return json_deep_copy(value);
    }
    copy = json_is_object(value) ? json_object() : json_array();
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        json_object_set_new(copy, key, with(member, text, depth + 1));
    }
    json_array_foreach(value, i, member)
    {
        json_array_append_new(copy, with(member, text, depth + 1));
    }
    return copy;
}

struct marks {
    size_t open, close, quotes, single;
};

static struct marks show(view_function view, const json_t *document, const char *text)
{
    struct marks marks = {0};
    struct buf page;
    json_t *copy = with(document, text, 0);
    buf_init(&page, ROOM);
    view(&page, copy);
    CHECK(buf_err(&page) == ERR_OK);
    for (size_t i = 0; i < page.len; i++) {
        marks.open += page.p[i] == '<';
        marks.close += page.p[i] == '>';
        marks.quotes += page.p[i] == '"';
        marks.single += page.p[i] == '\'';
    }
    buf_fini(&page);
    json_decref(copy);
    return marks;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    view_function view = VIEWS[data[0] % (sizeof(VIEWS) / sizeof(VIEWS[0]))];
    json_t *document = json_loadb((const char *)data + 1, size - 1, 0, NULL);
    if (document != NULL) {
        struct marks harmless = show(view, document, "a");
        struct marks hostile = show(view, document, "a\"'<zq x=\">&quot;");
        CHECK(memcmp(&harmless, &hostile, sizeof(hostile)) == 0);
    }
    json_decref(document);
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Renders components of the console: reads lines of {"view", "document"}, writes each result as a
 * line of JSON text. Driven by tests/test_components.py. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "web/component_views.h"

static const struct {
    const char *name;
    void (*view)(struct buf *to, const json_t *document);
} views[] = {
#define VIEW(name) {#name, view_##name},
    LODGE_WEB_COMPONENT_VIEWS_H_LIST(VIEW)
#undef VIEW
};

static int render(const json_t *line)
{
    const char *name = json_string_value(json_object_get(line, "view"));
    for (size_t i = 0; name != NULL && i < sizeof(views) / sizeof(views[0]); i++) {
        if (strcmp(views[i].name, name) == 0) {
            struct buf html;
            buf_init(&html, 1024 * 1024);
            views[i].view(&html, json_object_get(line, "document"));
            json_t *text = json_stringn(html.p, html.len);
            int failed = text == NULL || json_dumpf(text, stdout, JSON_ENCODE_ANY) != 0;
            json_decref(text);
            buf_fini(&html);
            (void)putchar('\n');
            return failed;
        }
    }
    return 1;
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    int failed = 0;
    while (!failed && getline(&line, &size, stdin) > 0) {
        json_t *read = json_loads(line, 0, NULL);
        failed = render(read);
        json_decref(read);
    }
    free(line);
    return failed;
}

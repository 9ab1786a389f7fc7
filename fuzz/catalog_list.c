/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readers of lists and of manifests: the first byte chooses. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "catalog/list.h"
#include "catalog/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err entry(void *ctx, const struct list_entry *entry)
{
    uint32_t *last = ctx;
    CHECK(entry->line >= *last && entry->kind != LIST_ENTRY_UNSET);
    CHECK(entry->kind == LIST_ENTRY_CIDR || entry->kind == LIST_ENTRY_HASH || entry->host->len > 0);
    *last = entry->line;
    return ERR_OK;
}

static void fault(void *ctx, enum list_fault fault, uint32_t line, struct str text)
{
    CHECK(line >= *(uint32_t *)ctx && list_fault_text(fault) != NULL);
    CHECK(text.len == 0 || text.p != NULL);
}

static enum err include(void *ctx, struct str name, struct str attributes)
{
    (void)ctx, (void)name, (void)attributes;
    return ERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t last = 1;
    struct list_sink sink = {.ctx = &last, .entry = entry, .fault = fault, .include = include};
    if (size == 0) {
        return 0;
    }
    struct str text = str_make((const char *)data + 1, size - 1);
    unsigned which = data[0] % 8;
    if (which == 7) {
        struct manifest_row *rows = NULL;
        struct buf why;
        size_t n = 0;
        buf_init(&why, 1 << 20);
        CHECK((manifest_parse(text, &why, &rows, &n) == ERR_OK) == (why.len == 0));
        free(rows);
        buf_fini(&why);
        return 0;
    }
    sink.attributes = which == 6 ? STR("@ads @-cn") : STR("");
    CHECK(list_read(which == 6 ? LIST_V2FLY : (enum list_format)(which + 1), text, &sink) ==
          ERR_OK);
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge catalog build|info|lookup (update: catalog_update.c) */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "os/file.h"
#include "catalog/build.h"
#include "catalog/catalog.h"
#include "cmd/cmd.h"
#include "cmd/images.h"
#include "cmd/urls.h"

enum { IMAGE_MODE = 0644 };

/* What the notes of a build are told to. */
struct teller {
    bool quiet;
    bool terminal; /* a line of progress stands on standard error */
    bool line_open;
    bool details;
    uint64_t warnings;
};

static void close_line(struct teller *teller)
{
    if (teller->line_open) {
        fputs("\r\033[K", stderr);
        teller->line_open = false;
    }
}

static void tell_note(void *ctx, enum build_note note, const char *line)
{
    struct teller *teller = ctx;
    teller->warnings += note == BUILD_WARNING;
    if ((note == BUILD_INFO && !teller->details) || (note != BUILD_ERROR && teller->quiet)) {
        return;
    }
    close_line(teller);
    fprintf(stderr, "%s%s\n", note == BUILD_WARNING ? "warning: " : "", line);
}

static void tell_progress(void *ctx, size_t done, size_t of, uint64_t entries)
{
    struct teller *teller = ctx;
    if (teller->terminal && !teller->quiet) {
        fprintf(stderr, "\r\033[K%zu of %zu lines of the manifest, %llu entries", done, of,
                (unsigned long long)entries);
        teller->line_open = true;
    }
}

static void tell_summary(const struct build_totals *totals, uint64_t warnings, struct str image,
                         int64_t ms)
{
    const struct compile_totals *made = &totals->compiled;
    printf("%llu entries: %llu different names and URLs, %llu address prefixes, %llu sealed\n",
           (unsigned long long)made->entries, (unsigned long long)made->keys,
           (unsigned long long)made->prefixes, (unsigned long long)made->sealed);
    printf("left out: %llu bad lines, %llu of a kind that is not taken; %llu warnings\n",
           (unsigned long long)totals->bad, (unsigned long long)totals->skipped,
           (unsigned long long)warnings);
    printf("image: %llu bytes, built in %lld ms\n", (unsigned long long)image.len, (long long)ms);
}

static int build_image(const char *manifest, const char *popular, const char *output,
                       struct teller *teller)
{
    struct build_watch watch = {.ctx = teller, .note = tell_note, .progress = tell_progress};
    struct build_totals totals;
    struct str image;
    int64_t start = clock_mono_ms();
    enum err err = catalog_build(manifest, popular, &watch, &totals, &image);
    close_line(teller);
    if (err == ERR_INVALID) {
        return cmd_fail(EXIT_REFUSED, "catalog build", "nothing is built; mend the above first");
    }
    if (err != ERR_OK) {
        return cmd_fail(EXIT_REFUSED, "catalog build", "%s: %s", manifest, err_text(err));
    }
    err = file_write(AT_FDCWD, output, image, IMAGE_MODE);
    if (err != ERR_OK) {
        free((void *)(uintptr_t)image.p);
        return cmd_fail(EXIT_REFUSED, "catalog build", "%s: %s", output, strerror(errno));
    }
    if (!teller->quiet) {
        tell_summary(&totals, teller->warnings, image, clock_mono_ms() - start);
    }
    free((void *)(uintptr_t)image.p);
    return EXIT_DONE;
}

static int run_build(int argc, char **argv)
{
    const char *manifest = NULL;
    const char *output = NULL;
    const char *popular = NULL;
    const char *data = NULL;
    struct teller teller = {.terminal = isatty(STDERR_FILENO) == 1};
    const struct option_row options[] = {
        {"manifest", "FILE", "the lists and their categories", &manifest, NULL, true},
        {"o", "IMAGE", "where the image goes", &output, NULL, true},
        {"popular", "FILE", "names to warn of when a list would block them", &popular, NULL, false},
        {"details", NULL, "also say what is left out of each list", NULL, &teller.details, false},
        {"quiet", NULL, "say nothing but errors", NULL, &teller.quiet, false},
        {"data", "DIR", "the data folder; made where absent", &data, NULL, false},
    };
    const struct usage usage = {
        .command = "catalog build",
        .synopsis = "--manifest FILE -o IMAGE",
        .summary = "Compiles lists of sites into one catalog image.",
        .details =
            "A line of the manifest is one of\n"
            "  CATEGORY FORMAT PATH [sealed]   FORMAT: domains, hosts, urls, ut1 (a folder),\n"
            "                                  v2fly, cidr or hashed\n"
            "  except CATEGORY FILE            names that are not of it after all, each line\n"
            "                                  with its reason behind a '#'\n"
            "  unused PATH REASON              a list that gives no category, and why\n"
            "Paths are relative to the manifest.\n\n"
            "Exit codes: 0 built; 1 nothing built, with the reason; 2 wrong command line.",
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
    };
    int first = 0;
    int code = options_read(&usage, argc, argv, &first);
    if (code == OPTIONS_GO_ON) {
        code = make_data("catalog build", data);
    }
    return code != OPTIONS_GO_ON ? code : build_image(manifest, popular, output, &teller);
}

static void print_category(const struct catalog *catalog, unsigned category)
{
    const struct category_row *row = category_row(category);
    struct catalog_count count = catalog_count(catalog, category);
    if (row != NULL && count.names + count.urls + count.prefixes != 0) {
        printf("%-22.*s %-15s %10llu %10llu %10llu\n", STR_ARG(row->name), tier_name(row->tier),
               (unsigned long long)count.names, (unsigned long long)count.urls,
               (unsigned long long)count.prefixes);
    }
}

/* What lists can give and policies can name, whatever an image holds. */
static int print_categories(void)
{
    printf("%-22s %-15s %s\n", "category", "tier", "what it is");
    for (unsigned i = 1; i < LIMIT_CATEGORIES; i++) {
        const struct category_row *row = category_row(i);
        if (row != NULL) {
            printf("%-22.*s %-15s %.*s\n", STR_ARG(row->name), tier_name(row->tier),
                   STR_ARG(row->staff));
        }
    }
    return EXIT_DONE;
}

static int run_info(int argc, char **argv)
{
    const char *data = NULL;
    const struct option_row options[] = {
        {"data", "DIR", "the data folder; made where absent", &data, NULL, false}};
    const struct usage usage = {
        .command = "catalog info",
        .synopsis = "[IMAGE]",
        .summary = "Checks a catalog image and says what it holds, by category; without one,\n"
                   "lists all categories that there are.",
        .details = "Sealed entries are counted together, never listed or named.\n\n"
                   "Exit codes: 0 whole; 1 refused, with the reason; 2 wrong command line.",
        .options = options,
        .n_options = 1,
        .max_arguments = 1,
    };
    struct catalog *catalog = NULL;
    int first = 0;
    int code = options_read(&usage, argc, argv, &first);
    if (code == OPTIONS_GO_ON && first == argc) {
        return print_categories();
    }
    if (code == OPTIONS_GO_ON) {
        code = make_data("catalog info", data);
    }
    if (code == OPTIONS_GO_ON) {
        code = load_catalog("catalog info", argv[first], &catalog);
    }
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    printf("generation %016llx, %llu bytes, %llu names and URLs\n",
           (unsigned long long)catalog_generation(catalog),
           (unsigned long long)catalog_size(catalog),
           (unsigned long long)catalog_key_count(catalog));
    printf("%-22s %-15s %10s %10s %10s\n", "category", "tier", "names", "urls", "prefixes");
    for (unsigned i = 1; i < LIMIT_CATEGORIES; i++) {
        print_category(catalog, i);
    }
    printf("sealed: %llu entries\n", (unsigned long long)catalog_sealed_count(catalog));
    catalog_free(catalog);
    return EXIT_DONE;
}

struct lookup {
    const struct catalog *catalog;
    struct arena arena;
    uint64_t wrong;
};

static void print_set(struct buf *out, const struct catset *set)
{
    bool any = false;
    for (unsigned c = catset_next(set, 0); c < LIMIT_CATEGORIES; c = catset_next(set, c + 1)) {
        const struct category_row *row = category_row(c);
        if (row != NULL) {
            buf_append(out, any ? STR(",") : STR(""));
            buf_append(out, row->name);
            any = true;
        }
    }
    buf_append(out, any ? STR("") : STR("-"));
}

static void look_up(void *ctx, struct str text, struct buf *out)
{
    struct lookup *lookup = ctx;
    struct catalog_hit hit = {{{0, 0}}, false};
    struct url url;
    arena_reset(&lookup->arena);
    if (url_parse(text, STR("http"), &lookup->arena, &url) == ERR_OK) {
        catalog_lookup(lookup->catalog, &url, &hit);
    } else {
        lookup->wrong++;
    }
    buf_append(out, text);
    buf_append_byte(out, '\t');
    if (hit.sealed) {
        buf_append(out, STR("sealed"));
    } else {
        print_set(out, &hit.categories);
    }
    buf_append_byte(out, '\n');
}

static int run_lookup(int argc, char **argv)
{
    const char *data = NULL;
    const struct option_row options[] = {
        {"data", "DIR", "the data folder; made where absent", &data, NULL, false}};
    const struct usage usage = {
        .command = "catalog lookup",
        .synopsis = "IMAGE (URL... | -)",
        .summary = "Says what each URL is: \"URL<TAB>category,category\", or \"-\" for none.",
        .details =
            "\"-\" as a URL reads URLs from standard input, one a line. A URL on a sealed\n"
            "list has \"sealed\" in place of categories. Without a scheme, http is meant.\n\n"
            "Exit codes: 0 answered; 1 image refused; 2 wrong command line.",
        .options = options,
        .n_options = 1,
        .min_arguments = 2,
        .max_arguments = -1,
    };
    struct lookup lookup = {0};
    struct catalog *catalog = NULL;
    int first = 0;
    int code = options_read(&usage, argc, argv, &first);
    if (code == OPTIONS_GO_ON) {
        code = make_data("catalog lookup", data);
    }
    if (code == OPTIONS_GO_ON) {
        code = load_catalog("catalog lookup", argv[first], &catalog);
    }
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    lookup.catalog = catalog;
    arena_init(&lookup.arena, 8 * LIMIT_URL_LEN);
    const struct urls_task task = {"catalog lookup", &lookup, look_up};
    code = urls_answer(&task, argc - first - 1, argv + first + 1);
    if (code == EXIT_DONE && lookup.wrong != 0) {
        fprintf(stderr, "%llu of these are not URLs, and have no category\n",
                (unsigned long long)lookup.wrong);
    }
    arena_fini(&lookup.arena);
    catalog_free(catalog);
    return code;
}

int cmd_catalog(int argc, char **argv)
{
    static const struct subcommand rows[] = {
        {"build", run_build, "compile lists into an image"},
        {"info", run_info, "check an image and say what it holds"},
        {"lookup", run_lookup, "say what URLs are"},
        {"update", catalog_update, "fetch lists, compile them, put the image in place"},
    };
    return subcommand_run("catalog", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

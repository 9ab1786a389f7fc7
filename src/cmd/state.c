/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge state build|show */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "cmd/cmd.h"
#include "cmd/images.h"
#include "os/file.h"

enum { DOCUMENT_MAX = 64 * 1024 * 1024, IMAGE_MAX = 256 * 1024 * 1024, IMAGE_MODE = 0640 };

static int build_image(const char *document, const char *output)
{
    struct buf text = {0};
    struct buf image = {0};
    struct buf why = {0};
    buf_init(&text, DOCUMENT_MAX);
    buf_init(&image, IMAGE_MAX);
    buf_init(&why, DOCUMENT_MAX);
    int code = load_text("state build", document, &text);
    if (code == OPTIONS_GO_ON) {
        enum err err = state_build(buf_str(&text), &image, &why);
        if (err == ERR_OK) {
            err = file_write(AT_FDCWD, output, buf_str(&image), IMAGE_MODE);
            code = err == ERR_OK ? EXIT_DONE
                                 : cmd_fail(EXIT_REFUSED, "state build", "%s: %s", output,
                                            err == ERR_SYSTEM ? strerror(errno) : err_text(err));
        } else {
            (void)fail_document("state build", document, err, &why);
            code = cmd_fail(EXIT_REFUSED, "state build", "nothing is built; mend the above first");
        }
    }
    buf_fini(&text);
    buf_fini(&image);
    buf_fini(&why);
    return code;
}

static int run_build(int argc, char **argv)
{
    const char *output = NULL;
    const char *data = NULL;
    const struct option_row options[] = {
        {"o", "IMAGE", "where the image goes", &output, NULL, true},
        {"data", "DIR", "the data folder; made where absent", &data, NULL, false},
    };
    const struct usage usage = {
        .command = "state build",
        .synopsis = "(FILE | -) -o IMAGE",
        .summary = "Makes a state image from a state document (JSON, docs/state.md).",
        .details = "Exit codes: 0 built; 1 refused, with the reason; 2 wrong command line.",
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
        .min_arguments = 1,
        .max_arguments = 1,
    };
    int first = 0;
    int code = options_read(&usage, argc, argv, &first);
    if (code == OPTIONS_GO_ON) {
        code = make_data("state build", data);
    }
    return code == OPTIONS_GO_ON ? build_image(argv[first], output) : code;
}

static int run_show(int argc, char **argv)
{
    const char *data = NULL;
    const struct option_row options[] = {
        {"data", "DIR", "the data folder; made where absent", &data, NULL, false},
    };
    const struct usage usage = {
        .command = "state show",
        .synopsis = "IMAGE",
        .summary = "Prints a state image as the document that it was built from.",
        .details = "Exit codes: 0 printed; 1 refused, with the reason; 2 wrong command line.",
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
        .min_arguments = 1,
        .max_arguments = 1,
    };
    struct state *state = NULL;
    int first = 0;
    int code = options_read(&usage, argc, argv, &first);
    if (code == OPTIONS_GO_ON) {
        code = make_data("state show", data);
    }
    if (code == OPTIONS_GO_ON) {
        code = load_state("state show", argv[first], &state);
    }
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    struct buf json = {0};
    buf_init(&json, IMAGE_MAX);
    state_print(state, &json);
    enum err err = buf_err(&json);
    if (err == ERR_OK) {
        err = file_write_all(STDOUT_FILENO, buf_str(&json));
    }
    buf_fini(&json);
    state_free(state);
    return err == ERR_OK ? EXIT_DONE : cmd_fail(EXIT_REFUSED, "state show", "%s", err_text(err));
}

int cmd_state(int argc, char **argv)
{
    static const struct subcommand rows[] = {
        {"build", run_build, "make an image from a document"},
        {"show", run_show, "print an image as a document"},
    };
    return subcommand_run("state", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

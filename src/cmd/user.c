/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge user: accounts of the console and the gate, by whoever has the machine. Works while the
 * gate runs; each change is an act of the operator's. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/cmd.h"
#include "cmd/place.h"
#include "crypto/password.h"
#include "crypto/secret.h"
#include "proc/publisher.h"
#include "proc/publisher.h"
#include "records/account.h"

enum { ARENA_MAX = 1 << 22, PAGES_MAX = 100000 };

static const char codes[] =
    "Exit codes: 0 done; 1 refused or failed; 2 the command line was wrong.";

static const char password_details[] =
    "The one-time password is printed once and kept nowhere. It holds for 14 days and opens "
    "nothing\n"
    "but the page that asks for a password of one's own.\n"
    "\n"
    "Exit codes: 0 done; 1 refused or failed; 2 the command line was wrong.";

/* What all of them take. */
struct user {
    const char *command;
    const char *data;
    const char *database;
    const char *school;
    const char *person;
    struct place place;
    struct engine engine;
    struct arena arena;
    struct actor actor;
};

static struct user user;

#define PLACE_ROWS                                                                        \
    {.name = "data",                                                                      \
     .value = "DIR",                                                                      \
     .help = "the data folder",                                                           \
     .text = &user.data,                                                                  \
     .required = true},                                                                   \
        {.name = "database",                                                              \
         .value = "URI",                                                                  \
         .help = "postgres://... where the records are there",                            \
         .text = &user.database},                                                         \
    {                                                                                     \
        .name = "school", .value = "ID", .help = "which school, where there are several", \
        .text = &user.school                                                              \
    }

static int fail(enum err err, const char *what)
{
    if (err == ERR_NOT_FOUND) {
        return cmd_fail(EXIT_REFUSED, user.command, "%s: no such account in this school", what);
    }
    if (err == ERR_CONFLICT) {
        return cmd_fail(EXIT_REFUSED, user.command, "%s is so already", what);
    }
    return cmd_fail(EXIT_REFUSED, user.command, "%s: %s (%s)", what, err_text(err),
                    store_why(user.place.store));
}

/* The school that is meant: the only one, or the one that is named. */
static int find_school(void)
{
    struct store_rows *rows;
    size_t n = 0;
    enum err err = store_begin(user.place.store, STR(""), STORE_READ);
    if (err == ERR_OK) {
        err = store_query(user.place.store, STATEMENT_SCHOOLS, NULL, 0, &rows);
    }
    while (err == ERR_OK && store_rows_next(rows, &err)) {
        struct str id = store_rows_bytes(rows, 0);
        if (user.school == NULL || str_eq(id, str_from(user.school))) {
            user.actor.school = arena_dup(&user.arena, id);
            n++;
        }
    }
    store_rollback(user.place.store);
    if (err != ERR_OK) {
        return fail(err, "the schools");
    }
    return n == 1 ? OPTIONS_GO_ON
                  : cmd_fail(EXIT_REFUSED, user.command,
                             n == 0 ? "there is no such school"
                                    : "there are several schools: say "
                                      "which by --school ID");
}

static int open_all(const char *command)
{
    user.command = command;
    arena_init(&user.arena, ARENA_MAX);
    int code = place_open(command, user.data, user.database, true, &user.place);
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    user.engine = (struct engine){.store = user.place.store, .keys = user.place.keys};
    user.actor.operator= true;
    user.actor.now_ms = clock_utc_ms();
    user.actor.today = clock_british_day(user.actor.now_ms);
    return find_school();
}

/* The gate's passwords follow the change that was made. */
static int ring(const char *what)
{
    return publisher_ring(user.data) == ERR_OK
               ? EXIT_DONE
               : cmd_fail(EXIT_REFUSED, user.command,
                          "%s: done, but a running gate could not be told; start it again", what);
}

static int close_all(int code)
{
    if (user.place.store != NULL) {
        place_close(&user.place);
        (void)!publisher_ring(user.data); /* where no gate runs nobody hears it */
    }
    arena_fini(&user.arena);
    return code;
}

/* Reads the options and opens; first: the only argument, or NULL for none. */
static int begin(const struct usage *usage, int argc, char **argv, const char **ret_argument)
{
    int first;
    int code = options_read(usage, argc, argv, &first);
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    *ret_argument = first < argc ? argv[first] : NULL;
    return open_all(usage->command);
}

/* ---- list ---- */

static void print_account(const json_t *item)
{
    const json_t *last = json_object_get(item, "last_used");
    printf("%s\t%s\t%s\t%s\n", json_string_value(json_object_get(item, "log_on")),
           json_string_value(json_object_get(item, "name")),
           json_is_true(json_object_get(item, "must_change"))
               ? "one-time password"
               : json_string_value(json_object_get(item, "state")),
           json_is_object(last) ? json_string_value(json_object_get(last, "at")) : "never used");
}

static int list_all(void)
{
    bool more = true;
    for (size_t page = 1; more && page < PAGES_MAX; page++) {
        json_t *document;
        size_t i;
        json_t *item;
        enum err err = account_list(&user.engine, &user.actor, STR(""), page, &document);
        if (err != ERR_OK) {
            return fail(err, "the accounts");
        }
        json_array_foreach(json_object_get(document, "items"), i, item)
        {
            print_account(item);
        }
        more = json_is_true(json_object_get(document, "more"));
        json_decref(document);
    }
    return EXIT_DONE;
}

static int user_list(int argc, char **argv)
{
    static const struct option_row rows[] = {PLACE_ROWS};
    static const struct usage usage = {.command = "user list",
                                       .synopsis = "--data DIR",
                                       .summary = "Lists the accounts: log-on, name, state, last "
                                                  "use; tabs between them.",
                                       .details = codes,
                                       .options = rows,
                                       .n_options = sizeof(rows) / sizeof(rows[0])};
    const char *none;
    int code = begin(&usage, argc, argv, &none);
    return close_all(code == OPTIONS_GO_ON ? list_all() : code);
}

/* ---- one-time passwords ---- */

static int make_password(char ret_password[ACCOUNT_ONE_TIME_CHARS + 1],
                         char ret_hash[PASSWORD_TEXT_MAX])
{
    account_one_time(ret_password);
    return password_hash(str_from(ret_password), ret_hash) == ERR_OK
               ? OPTIONS_GO_ON
               : cmd_fail(EXIT_REFUSED, user.command, "no memory for the password's hash");
}

static int add(const char *log_on)
{
    char password[ACCOUNT_ONE_TIME_CHARS + 1];
    char hash[PASSWORD_TEXT_MAX];
    struct record_id id;
    struct account_fault fault;
    int code = make_password(password, hash);
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    const struct account_new fresh = {.person = str_from(user.person),
                                      .log_on = str_from(log_on),
                                      .hash = str_from(hash),
                                      .must_change = true};
    enum err err = account_make(&user.engine, &user.actor, &fresh, &id, &fault);
    if (err == ERR_OK) {
        printf("%s\n", password);
    }
    secret_wipe(password, sizeof(password));
    return err == ERR_OK        ? ring(log_on)
           : err == ERR_INVALID ? cmd_fail(EXIT_REFUSED, user.command, "%s", fault.why)
                                : fail(err, log_on);
}

static int user_add(int argc, char **argv)
{
    static const struct option_row rows[] = {
        PLACE_ROWS,
        {.name = "person",
         .value = "ID",
         .help = "whose account: the person's id, the end of their page's address",
         .text = &user.person,
         .required = true}};
    static const struct usage usage = {.command = "user add",
                                       .synopsis = "--data DIR --person ID LOG-ON",
                                       .summary = "Adds an account for somebody of the school and "
                                                  "prints its one-time password.",
                                       .details = password_details,
                                       .options = rows,
                                       .n_options = sizeof(rows) / sizeof(rows[0]),
                                       .min_arguments = 1,
                                       .max_arguments = 1};
    const char *log_on;
    int code = begin(&usage, argc, argv, &log_on);
    return close_all(code == OPTIONS_GO_ON ? add(log_on) : code);
}

/* ---- those that are there ---- */

/* The account with this log-on in the school; disabled ones too. */
static int find(const char *log_on, struct str *ret_id)
{
    struct account account;
    enum err err =
        account_find_at(&user.engine, &user.arena, user.actor.school, str_from(log_on), &account);
    if (err != ERR_OK) {
        return fail(err, log_on);
    }
    *ret_id = account.id;
    return OPTIONS_GO_ON;
}

static int reset(const char *log_on)
{
    char password[ACCOUNT_ONE_TIME_CHARS + 1];
    char hash[PASSWORD_TEXT_MAX];
    struct str id;
    int code = find(log_on, &id);
    code = code == OPTIONS_GO_ON ? make_password(password, hash) : code;
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    enum err err = account_reset(&user.engine, &user.actor, id, str_from(hash));
    if (err == ERR_OK) {
        printf("%s\n", password);
    }
    secret_wipe(password, sizeof(password));
    return err == ERR_OK ? ring(log_on) : fail(err, log_on);
}

static int disable(const char *log_on)
{
    struct str id;
    int code = find(log_on, &id);
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    enum err err = account_disable(&user.engine, &user.actor, id);
    return err == ERR_OK ? ring(log_on) : fail(err, log_on);
}

static int user_reset(int argc, char **argv)
{
    static const struct option_row rows[] = {PLACE_ROWS};
    static const struct usage usage = {.command = "user reset",
                                       .synopsis = "--data DIR LOG-ON",
                                       .summary = "Ends all sessions of an account and prints a "
                                                  "one-time password for it.",
                                       .details = password_details,
                                       .options = rows,
                                       .n_options = sizeof(rows) / sizeof(rows[0]),
                                       .min_arguments = 1,
                                       .max_arguments = 1};
    const char *log_on;
    int code = begin(&usage, argc, argv, &log_on);
    return close_all(code == OPTIONS_GO_ON ? reset(log_on) : code);
}

static int user_disable(int argc, char **argv)
{
    static const struct option_row rows[] = {PLACE_ROWS};
    static const struct usage usage = {.command = "user disable",
                                       .synopsis = "--data DIR LOG-ON",
                                       .summary = "Ends all sessions of an account at once; it "
                                                  "cannot sign in until it is enabled again.",
                                       .details = codes,
                                       .options = rows,
                                       .n_options = sizeof(rows) / sizeof(rows[0]),
                                       .min_arguments = 1,
                                       .max_arguments = 1};
    const char *log_on;
    int code = begin(&usage, argc, argv, &log_on);
    return close_all(code == OPTIONS_GO_ON ? disable(log_on) : code);
}

int cmd_user(int argc, char **argv)
{
    static const struct subcommand rows[] = {
        {"add", user_add, "add an account for a person and print its one-time password"},
        {"disable", user_disable, "end an account's sessions and let it sign in no more"},
        {"list", user_list, "list the accounts"},
        {"reset", user_reset, "print a new one-time password for an account"},
    };
    return subcommand_run("user", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connections to PostgreSQL, and its errors. */
#include <stdio.h>
#include <string.h>

#include "store/postgres_impl.h"

/* Statements are small, run often, and find rows by index: to compile one, to start processes for
 * it, or to plan it anew each time costs more than it; and a plan for any value may not guess that
 * reading a whole table into a hash is quicker than the page it is for. */
const char postgres_settings[] = "SET jit = off;"
                                 "SET max_parallel_workers_per_gather = 0;"
                                 "SET plan_cache_mode = force_generic_plan;"
                                 "SET enable_hashjoin = off;"
                                 "SET enable_mergejoin = off;"
                                 "SET lock_timeout = '5s';"
                                 "SET idle_in_transaction_session_timeout = '60s';"
                                 "SET synchronous_commit = on;"
                                 "SET standard_conforming_strings = on;"
                                 "SET row_security = on;";

/* A table's owner passes policies by unless they are forced. Foreign keys can wait for the commit,
 * so that a backup is read back in any order. */
const char postgres_fence[] =
    "DO $$ DECLARE name text; tied record; BEGIN"
    " FOR name IN SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
    "  WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')"
    "  AND a.attname = 'school' AND NOT a.attisdropped AND NOT c.relforcerowsecurity"
    " LOOP"
    "  EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);"
    "  EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);"
    "  EXECUTE format('CREATE POLICY by_school ON %I USING (school ="
    "   (SELECT current_setting(%L, true)) OR (SELECT current_setting(%L, true)) = %L)',"
    "   name, 'lodge.school', 'lodge.school', '*');"
    " END LOOP;"
    " FOR tied IN SELECT conname, conrelid::regclass AS tab FROM pg_constraint"
    "  WHERE contype = 'f' AND NOT condeferrable"
    "  AND connamespace = current_schema()::regnamespace"
    " LOOP"
    "  EXECUTE format('ALTER TABLE %s ALTER CONSTRAINT %I DEFERRABLE', tied.tab, tied.conname);"
    " END LOOP; END $$";

/* ---- errors ---- */

static const struct {
    const char *state; /* the beginning of an SQLSTATE */
    enum err err;
    bool message; /* its words hold no value */
} states[] = {
    {"40", ERR_BUSY, true},         /* serialization, deadlock */
    {"55P03", ERR_BUSY, true},      /* lock_timeout */
    {"23505", ERR_CONFLICT, false}, /* unique */
    {"23503", ERR_CONFLICT, false}, /* foreign key */
    {"08", ERR_GONE, true},         /* connection */
    {"57P", ERR_GONE, true},        /* the server shuts down, or starts */
    {"25P03", ERR_GONE, true},      /* idle in a transaction for too long */
    {"53300", ERR_GONE, true},      /* too many connections */
    {"53100", ERR_FULL, true},      /* the disk */
    {"53", ERR_SYSTEM, true},       /* memory */
    {"42", ERR_SYSTEM, true},       /* the statement itself, or row-level security */
    {"LODGE", ERR_SYSTEM, true},    /* a trigger of ours */
};

static void first_line(const char *from, char *ret_words, size_t n)
{
    snprintf(ret_words, n, "%.*s", (int)strcspn(from, "\n"), from);
}

static const char *field(const PGresult *result, int code)
{
    const char *text = PQresultErrorField(result, code);
    return text != NULL ? text : "";
}

enum err postgres_err(const PGconn *connection, const PGresult *result, char *ret_words, size_t n)
{
    const char *state = field(result, PG_DIAG_SQLSTATE);
    /* A server that went away in the middle leaves an answer without a state, and a connection that
     * has not yet noticed. */
    if (PQstatus(connection) != CONNECTION_OK || state[0] == '\0') {
        first_line(PQerrorMessage(connection), ret_words, n);
        return ERR_GONE;
    }
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strncmp(state, states[i].state, strlen(states[i].state)) == 0) {
            snprintf(ret_words, n, "%s %s%s", state,
                     states[i].message ? field(result, PG_DIAG_MESSAGE_PRIMARY) : "constraint ",
                     field(result, PG_DIAG_CONSTRAINT_NAME));
            return states[i].err;
        }
    }
    snprintf(ret_words, n, "%s %s%s", state, field(result, PG_DIAG_TABLE_NAME),
             field(result, PG_DIAG_CONSTRAINT_NAME));
    return ERR_SYSTEM;
}

/* ---- connecting ---- */

static void no_notice(void *argument, const PGresult *result)
{
    (void)argument;
    (void)result;
}

/* Each answers one row with a truth; a false one refuses the database. */
static const struct {
    const char *sql;
    const char *why;
} conditions[] = {
    {"SELECT NOT (rolsuper OR rolbypassrls) FROM pg_roles WHERE rolname = current_user",
     "the role may pass row-level security by: it must be neither superuser nor BYPASSRLS"},
    {"SELECT pg_encoding_to_char(encoding) = 'UTF8' FROM pg_database "
     "WHERE datname = current_database()",
     "the database's encoding is not UTF8"},
    {"SELECT datcollate IN ('C', 'POSIX', 'C.UTF-8', 'C.utf8') FROM pg_database "
     "WHERE datname = current_database()",
     "the database sorts by a language: make it with TEMPLATE template0 LC_COLLATE 'C.UTF-8'"},
};

static enum err check_conditions(PGconn *connection, struct buf *why)
{
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        PGresult *result = PQexec(connection, conditions[i].sql);
        bool holds = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 &&
                     strcmp(PQgetvalue(result, 0, 0), "t") == 0;
        PQclear(result);
        if (!holds) {
            buf_printf(why, "%s", conditions[i].why);
            return ERR_INVALID;
        }
    }
    return ERR_OK;
}

static enum err settle(PGconn *connection, struct buf *why)
{
    char words[STORE_WHY_BYTES];
    if (PQstatus(connection) != CONNECTION_OK) {
        (void)postgres_err(connection, NULL, words, sizeof(words));
        buf_printf(why, "%s", words);
        return ERR_GONE;
    }
    (void)PQsetNoticeReceiver(connection, no_notice, NULL);
    PGresult *result = PQexec(connection, postgres_settings);
    enum err err = PQresultStatus(result) == PGRES_COMMAND_OK
                       ? ERR_OK
                       : postgres_err(connection, result, words, sizeof(words));
    PQclear(result);
    if (err != ERR_OK) {
        buf_printf(why, "%s", words);
        return err;
    }
    return check_conditions(connection, why);
}

enum err postgres_connect(const char *place, PGconn **ret_connection, struct buf *why)
{
    /* What stands in the place comes last and counts. */
    const char *const names[] = {"connect_timeout", "application_name", "client_encoding", "dbname",
                                 NULL};
    const char *const values[] = {"10", "lodge", "UTF8", place, NULL};
    PGconn *connection = PQconnectdbParams(names, values, 1);
    if (connection == NULL) {
        return ERR_MEMORY;
    }
    enum err err = settle(connection, why);
    if (err != ERR_OK) {
        PQfinish(connection);
        return err;
    }
    *ret_connection = connection;
    return ERR_OK;
}

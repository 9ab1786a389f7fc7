/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/conn_tls.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/gen.h"
#include "lib/test.h"
#include "lib/tls_rig.h"
#include "http/conn_impl.h"

enum { SMALL_BUFFER = 4608, SCRATCH_MAX = 70000 };

static struct tls_rig rig;
static struct tls_leaf *leaf;

static enum err make_server(void *context, const struct tls_lower *lower,
                            struct tls_session **ret_session)
{
    (void)context;
    return tls_accept(rig.server, leaf, STR("a.example"), false, lower, ret_session);
}

static enum err make_client(void *context, const struct tls_lower *lower,
                            struct tls_session **ret_session)
{
    (void)context;
    struct host host = tls_rig_host("a.example");
    return tls_connect(rig.client, &host, 443, false, rig.now_ms, lower, ret_session);
}

static void pair_of_sockets(int fds[2], bool small)
{
    int size = SMALL_BUFFER;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    for (int i = 0; small && i < 2; i++) {
        assert_int_equal(setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
    }
}

/* --- two ends
 * ------------------------------------------------------------------------------------ */

struct ends {
    struct loop *loop;
    struct http_conn server, client;
    struct http_scratch scratch;
    unsigned events;
    char bytes[SCRATCH_MAX];
};

static struct ends *current;

static void on_end(struct loop_io *io, uint32_t events)
{
    current->events++;
    http_conn_note((struct http_conn *)(void *)((char *)io - offsetof(struct http_conn, io)),
                   events);
}

static void turn(struct ends *ends)
{
    do {
        ends->events = 0;
        assert_ok(loop_turn(ends->loop, 0));
    } while (ends->events != 0);
}

static void open_ends(struct ends *ends)
{
    int fds[2];
    *ends = (struct ends){0};
    current = ends;
    ends->scratch = (struct http_scratch){ends->bytes, sizeof(ends->bytes)};
    pair_of_sockets(fds, false);
    assert_ok(loop_new(&ends->loop));
    http_conn_init(&ends->server, 100000);
    http_conn_init(&ends->client, 100000);
    assert_ok(http_conn_open(&ends->server, ends->loop, fds[0], on_end, true));
    assert_ok(http_conn_open(&ends->client, ends->loop, fds[1], on_end, true));
}

static void shake(struct ends *ends)
{
    enum http_handshake server = HTTP_HANDSHAKE_WAIT;
    enum http_handshake client = HTTP_HANDSHAKE_WAIT;
    for (int i = 0; i < 20 && (server != HTTP_HANDSHAKE_DONE || client != HTTP_HANDSHAKE_DONE);
         i++) {
        client = http_conn_handshake(&ends->client);
        turn(ends);
        server = http_conn_handshake(&ends->server);
        turn(ends);
    }
    assert_int_equal(server, HTTP_HANDSHAKE_DONE);
    assert_int_equal(client, HTTP_HANDSHAKE_DONE);
}

static void wrap(struct ends *ends)
{
    assert_ok(http_conn_tls_open(&ends->server, make_server, NULL));
    assert_ok(http_conn_tls_open(&ends->client, make_client, NULL));
    shake(ends);
}

static void close_ends(struct ends *ends)
{
    http_conn_close(&ends->server);
    http_conn_close(&ends->client);
    loop_free(ends->loop);
}

static enum http_read read_of(struct ends *ends, struct http_conn *conn, struct str *ret_view)
{
    turn(ends);
    enum http_read result = http_conn_read(conn, &ends->scratch, ret_view);
    if (result == HTTP_READ_SOME) {
        assert_ok(http_conn_keep(conn, str_make(NULL, 0)));
    }
    return result;
}

static void setup(void)
{
    tls_rig_init(&rig);
    leaf = tls_rig_leaf(&rig, "a.example");
}

static void teardown(void)
{
    tls_leaf_free(leaf);
    tls_rig_fini(&rig);
}

TEST(bytes_go_both_ways_through_one_two_and_three_layers)
{
    struct ends ends;
    setup();
    open_ends(&ends);
    for (int layers = 1; layers <= 3; layers++) {
        struct str view;
        wrap(&ends);
        assert_ok(http_conn_write(&ends.client, STR("GET / "), STR("HTTP/1.1")));
        assert_int_equal(read_of(&ends, &ends.server, &view), HTTP_READ_SOME);
        assert_str_eq(view, STR("GET / HTTP/1.1"));
        assert_int_equal(read_of(&ends, &ends.server, &view), HTTP_READ_NONE);
        assert_ok(http_conn_write(&ends.server, STR(""), STR("HTTP/1.1 200 OK")));
        assert_int_equal(read_of(&ends, &ends.client, &view), HTTP_READ_SOME);
        assert_str_eq(view, STR("HTTP/1.1 200 OK"));
        assert_int_equal(read_of(&ends, &ends.client, &view), HTTP_READ_NONE);
        assert_true(http_conn_is_quiet(&ends.client));
        assert_true(http_conn_is_quiet(&ends.server));
        assert_true(tls_is_established(http_conn_tls(&ends.server)));
    }
    close_ends(&ends);
    teardown();
}

/* A CONNECT's head, the ClientHello behind it, and what follows at once: nothing waits for an edge
 * that has been. */
TEST(what_was_read_before_is_read_first)
{
    struct ends ends;
    struct str view;
    setup();
    open_ends(&ends);
    assert_ok(http_conn_write(&ends.client, STR("CONNECT\r\n\r\n"), STR("")));
    assert_ok(http_conn_tls_open(&ends.client, make_client, NULL));
    assert_int_equal(http_conn_handshake(&ends.client), HTTP_HANDSHAKE_WAIT);
    turn(&ends);
    assert_int_equal(http_conn_read(&ends.server, &ends.scratch, &view), HTTP_READ_SOME);
    assert_ok(http_conn_keep(&ends.server, str_skip(view, strlen("CONNECT\r\n\r\n"))));
    assert_true(http_conn_unused(&ends.server).len > 100);
    assert_ok(http_conn_tls_open(&ends.server, make_server, NULL));
    assert_int_equal(http_conn_unused(&ends.server).len, 0);
    assert_int_equal(http_conn_handshake(&ends.server), HTTP_HANDSHAKE_WAIT);
    turn(&ends);
    assert_int_equal(http_conn_handshake(&ends.client), HTTP_HANDSHAKE_DONE);
    assert_ok(http_conn_write(&ends.client, STR("at once"), STR("")));
    turn(&ends);
    assert_int_equal(http_conn_handshake(&ends.server), HTTP_HANDSHAKE_DONE);
    assert_int_equal(http_conn_read(&ends.server, &ends.scratch, &view), HTTP_READ_SOME);
    assert_str_eq(view, STR("at once"));
    close_ends(&ends);
    teardown();
}

TEST(an_end_is_an_end_only_where_the_peer_says_so)
{
    static const struct {
        bool said;
        enum http_read read;
    } CASES[] = {{true, HTTP_READ_END}, {false, HTTP_READ_BROKEN}};
    setup();
    for (size_t i = 0; i < 2; i++) {
        struct ends ends;
        struct str view;
        open_ends(&ends);
        wrap(&ends);
        assert_ok(http_conn_write(&ends.server, STR("the body"), STR("")));
        if (CASES[i].said) {
            http_conn_shut(&ends.server);
        }
        http_conn_close(&ends.server);
        assert_int_equal(read_of(&ends, &ends.client, &view), HTTP_READ_SOME);
        assert_str_eq(view, STR("the body"));
        assert_int_equal(read_of(&ends, &ends.client, &view), CASES[i].read);
        assert_int_equal(read_of(&ends, &ends.client, &view), CASES[i].read);
        assert_false(http_conn_is_quiet(&ends.client));
        close_ends(&ends);
    }
    teardown();
}

TEST(one_way_may_end_before_the_other)
{
    struct ends ends;
    struct str view;
    setup();
    open_ends(&ends);
    wrap(&ends);
    wrap(&ends);
    http_conn_shut(&ends.client);
    assert_int_equal(read_of(&ends, &ends.server, &view), HTTP_READ_END);
    assert_err(http_conn_write(&ends.client, STR("x"), STR("")), ERR_SYSTEM);
    assert_ok(http_conn_write(&ends.server, STR("the answer"), STR("")));
    http_conn_shut(&ends.server);
    assert_int_equal(read_of(&ends, &ends.client, &view), HTTP_READ_SOME);
    assert_str_eq(view, STR("the answer"));
    assert_int_equal(read_of(&ends, &ends.client, &view), HTTP_READ_END);
    close_ends(&ends);
    teardown();
}

TEST(a_ticket_does_not_make_a_connection_unquiet_but_a_byte_does)
{
    struct ends ends;
    setup();
    open_ends(&ends);
    wrap(&ends);
    assert_true(http_conn_is_quiet(&ends.client)); /* the ticket lies there unread */
    assert_ok(http_conn_write(&ends.server, STR("!"), STR("")));
    assert_false(http_conn_is_quiet(&ends.client)); /* though the loop has not said so */
    close_ends(&ends);
    teardown();
}

/* The server's side writes, and what it wrote is looked at as it came. */
TEST(a_head_and_its_body_are_one_record_where_they_fit)
{
    static char body[40000];
    static const struct {
        size_t head, body, records;
    } CASES[] = {{200, 0, 1},     {0, 200, 1},     {200, 1000, 1}, {384, 16000, 1},
                 {200, 16384, 2}, {16384, 100, 2}, {1, 32767, 2},  {200, 39000, 3}};
    struct ends ends;
    setup();
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        size_t at = 0;
        size_t records = 0;
        open_ends(&ends);
        wrap(&ends);
        assert_true(http_conn_is_quiet(&ends.client));
        assert_ok(http_conn_write(&ends.server, str_make(body, CASES[i].head),
                                  str_make(body, CASES[i].body)));
        ssize_t n = recv(ends.client.io.fd, ends.bytes, sizeof(ends.bytes), 0);
        while (n > 0 && at < (size_t)n) {
            at += 5 + ((size_t)(uint8_t)ends.bytes[at + 3] << 8 | (uint8_t)ends.bytes[at + 4]);
            records++;
        }
        assert_int_equal(at, n);
        assert_int_equal(records, CASES[i].records);
        close_ends(&ends);
    }
    teardown();
}

TEST(a_device_that_refuses_makes_the_handshake_fail)
{
    struct ends ends;
    setup();
    open_ends(&ends);
    tls_client_free(rig.client);
    const char *why = NULL;
    assert_ok(tls_client_new(STR(""), STR(""), &rig.client, &why));
    assert_ok(http_conn_tls_open(&ends.server, make_server, NULL));
    assert_ok(http_conn_tls_open(&ends.client, make_client, NULL));
    assert_int_equal(http_conn_handshake(&ends.client), HTTP_HANDSHAKE_WAIT);
    turn(&ends);
    assert_int_equal(http_conn_handshake(&ends.server), HTTP_HANDSHAKE_WAIT);
    turn(&ends);
    assert_int_equal(http_conn_handshake(&ends.client), HTTP_HANDSHAKE_FAILED);
    assert_int_equal(tls_trouble(http_conn_tls(&ends.client)), TLS_TROUBLE_UNTRUSTED);
    turn(&ends);
    assert_int_equal(http_conn_handshake(&ends.server), HTTP_HANDSHAKE_FAILED);
    assert_int_equal(tls_trouble(http_conn_tls(&ends.server)), TLS_TROUBLE_REFUSED);
    close_ends(&ends);
    teardown();
}

static enum err make_none(void *context, const struct tls_lower *lower,
                          struct tls_session **ret_session)
{
    (void)context;
    (void)lower;
    (void)ret_session;
    return ERR_MEMORY;
}

TEST(a_connection_without_a_session_stays_as_it_was)
{
    struct ends ends;
    struct str view;
    open_ends(&ends);
    assert_err(http_conn_tls_open(&ends.server, make_none, NULL), ERR_MEMORY);
    assert_null(http_conn_tls(&ends.server));
    assert_ok(http_conn_write(&ends.client, STR("plain"), STR("")));
    assert_int_equal(read_of(&ends, &ends.server, &view), HTTP_READ_SOME);
    assert_str_eq(view, STR("plain"));
    close_ends(&ends);
}

/* --- a relay
 * ------------------------------------------------------------------------------------- */

/* Four connections: a device, the relay's two, an origin. Each works only when the loop tells it
 * to, or where it put work off itself; so a wake-up that is lost stops the run, and one too many
 * is counted. */
struct node {
    struct http_conn conn;
    struct world *world;
    struct node *to; /* relay: where what is read goes; else NULL */
    size_t total;    /* peer: what it says */
    size_t said;
    size_t heard;
    size_t expects; /* peer: what the other says */
    int layers;     /* of TLS that are still to be put on */
    bool server;
    bool shaken;
    bool ended; /* it heard the end */
    bool finished;
    struct loop_defer again;
};

struct world {
    struct gen gen;
    struct loop *loop;
    struct http_scratch scratch;
    unsigned calls;
    bool moved;
    bool early; /* peers end as soon as they have said all */
    struct node device, front, back, origin;
    char bytes[SCRATCH_MAX];
};

static char byte_at(size_t i)
{
    return (char)(i * 7 % 251);
}

static void say_some(struct node *node)
{
    static char block[40000];
    struct world *world = node->world;
    size_t n = 1 + gen_below(&world->gen, gen_chance(&world->gen, 80) ? 900 : sizeof(block) - 1);
    n = n < node->total - node->said ? n : node->total - node->said;
    for (size_t i = 0; i < n; i++) {
        block[i] = byte_at(node->said + i);
    }
    size_t cut = gen_below(&world->gen, n + 1);
    assert_ok(http_conn_write(&node->conn, str_make(block, cut), str_make(block + cut, n - cut)));
    node->said += n;
}

static void hear(struct node *node, struct str view)
{
    for (size_t i = 0; i < view.len; i++) {
        assert_run(node->world->gen, view.p[i] == byte_at(node->heard + i));
    }
    node->heard += view.len;
}

/* A peer: says and hears as much as chance has it. */
static void run_peer(struct node *node)
{
    struct world *world = node->world;
    struct str view;
    assert_ok(http_conn_flush(&node->conn));
    while (node->said < node->total && !http_conn_pending(&node->conn)) {
        if (gen_chance(&world->gen, 20)) {
            loop_defer_add(world->loop, &node->again);
            break;
        }
        say_some(node);
    }
    while (!node->ended) {
        if (gen_chance(&world->gen, 20)) {
            loop_defer_add(world->loop, &node->again);
            break;
        }
        enum http_read result = http_conn_read(&node->conn, &world->scratch, &view);
        if (result == HTTP_READ_NONE) {
            break;
        }
        assert_run(world->gen, result != HTTP_READ_BROKEN);
        node->ended = result == HTTP_READ_END;
        if (result == HTTP_READ_SOME) {
            hear(node, view);
            assert_ok(http_conn_keep(&node->conn, str_make(NULL, 0)));
        }
    }
    /* An end wakes whoever missed a wake-up, so it comes last as often as not. */
    if (node->said == node->total && !http_conn_pending(&node->conn) &&
        (world->early || node->heard == node->expects)) {
        http_conn_shut(&node->conn);
    }
}

static void forward(struct node *from, struct str view, size_t used)
{
    assert_ok(http_conn_write(&from->to->conn, str_sub(view, 0, used), STR("")));
    assert_ok(http_conn_keep(&from->conn, str_skip(view, used)));
}

/* One direction of the relay, by its rule: it reads only while nothing is pending. */
static void run_way(struct node *from)
{
    struct world *world = from->world;
    struct str view;
    assert_ok(http_conn_flush(&from->to->conn));
    while (!from->finished && !http_conn_pending(&from->to->conn)) {
        enum http_read result =
            from->ended ? HTTP_READ_END : http_conn_read(&from->conn, &world->scratch, &view);
        assert_run(world->gen, result != HTTP_READ_BROKEN);
        if (result == HTTP_READ_SOME) {
            /* Some of it is kept for the next round, as a parser would. */
            bool part = gen_chance(&world->gen, 10);
            forward(from, view, part ? gen_below(&world->gen, view.len) : view.len);
            continue;
        }
        view = http_conn_unused(&from->conn);
        from->ended = result == HTTP_READ_END;
        if (view.len != 0) {
            forward(from, view, view.len);
        } else if (!from->ended) {
            return;
        } else {
            from->finished = true;
            http_conn_shut(&from->to->conn);
        }
    }
}

static void run_node(struct node *node)
{
    struct world *world = node->world;
    world->moved = true;
    world->calls++;
    if (!node->shaken) {
        enum http_handshake result = http_conn_handshake(&node->conn);
        assert_run(world->gen, result != HTTP_HANDSHAKE_FAILED);
        if (result == HTTP_HANDSHAKE_DONE && node->layers != 0) {
            node->layers--;
            assert_ok(
                http_conn_tls_open(&node->conn, node->server ? make_server : make_client, NULL));
            run_node(node);
            return;
        }
        node->shaken = result == HTTP_HANDSHAKE_DONE;
        if (!node->shaken) {
            return;
        }
        if (node->to != NULL && node->to->shaken) {
            run_way(node->to);
        }
    }
    if (node->to == NULL) {
        run_peer(node);
    } else if (node->to->shaken) {
        run_way(node);
        run_way(node->to);
    }
}

static void on_node(struct loop_io *io, uint32_t events)
{
    struct node *node = (struct node *)(void *)((char *)io - offsetof(struct node, conn.io));
    http_conn_note(&node->conn, events);
    run_node(node);
}

static void on_again(struct loop_defer *defer)
{
    run_node((struct node *)(void *)((char *)defer - offsetof(struct node, again)));
}

/* A socket that gives one to 40 bytes at once. */
static enum http_read drip(struct http_conn *conn, char *to, size_t room, size_t *ret_n)
{
    struct gen *gen = conn->layer;
    size_t most = 1 + gen_below(gen, 40);
    conn->transport = NULL;
    extern const struct http_transport DRIP;
    enum http_read result = conn_receive(conn, to, room < most ? room : most, ret_n);
    conn->transport = &DRIP;
    return result;
}

static enum err pass(struct http_conn *conn, struct str a, struct str b, size_t *ret_n)
{
    extern const struct http_transport DRIP;
    conn->transport = NULL;
    enum err err = conn_transmit(conn, a, b, ret_n);
    conn->transport = &DRIP;
    return err;
}

static void shut_socket(struct http_conn *conn)
{
    shutdown(conn->io.fd, SHUT_WR);
}

static void nothing_to_close(struct http_conn *conn)
{
    (void)conn;
}

extern const struct http_transport DRIP;
const struct http_transport DRIP = {
    .receive = drip, .transmit = pass, .shut = shut_socket, .close = nothing_to_close};

static void node_init(struct world *world, struct node *node, int fd, bool server, int layers)
{
    node->world = world;
    node->server = server;
    node->layers = layers - 1;
    node->again.fn = on_again;
    http_conn_init(&node->conn, 100000);
    assert_ok(http_conn_open(&node->conn, world->loop, fd, on_node, true));
    if (gen_chance(&world->gen, 25)) {
        node->conn.transport = &DRIP;
        node->conn.layer = &world->gen;
    }
    assert_ok(http_conn_tls_open(&node->conn, server ? make_server : make_client, NULL));
}

static void world_init(struct world *world, struct gen gen)
{
    int left[2];
    int right[2];
    *world = (struct world){.gen = gen};
    size_t size = gen_chance(&world->gen, 50) ? 1 + gen_below(&world->gen, 300) : SCRATCH_MAX;
    world->scratch = (struct http_scratch){world->bytes, size};
    pair_of_sockets(left, gen_chance(&world->gen, 70));
    pair_of_sockets(right, gen_chance(&world->gen, 70));
    assert_ok(loop_new(&world->loop));
    world->device.total = world->origin.expects = gen_below(&world->gen, 150000);
    world->origin.total = world->device.expects = gen_below(&world->gen, 150000);
    world->front.to = &world->back;
    world->back.to = &world->front;
    world->early = gen_chance(&world->gen, 50);
    int layers = gen_chance(&world->gen, 30) ? 2 : 1;
    node_init(world, &world->device, left[0], false, layers);
    node_init(world, &world->front, left[1], true, layers);
    node_init(world, &world->back, right[0], false, 1);
    node_init(world, &world->origin, right[1], true, 1);
    loop_defer_add(world->loop, &world->device.again);
    loop_defer_add(world->loop, &world->back.again);
}

static bool is_over(const struct world *world)
{
    return world->device.ended && world->origin.ended && world->front.finished &&
           world->back.finished;
}

TEST(a_relay_over_TLS_on_both_sides_loses_reorders_and_spins_on_nothing)
{
    static struct world world;
    setup();
    GEN_RUNS(gen, 150)
    {
        world_init(&world, gen);
        do {
            world.moved = false;
            assert_ok(loop_turn(world.loop, 0));
            assert_run(world.gen, world.moved); /* else somebody waits for what has been */
        } while (!is_over(&world));
        assert_run(world.gen, world.device.heard == world.device.expects);
        assert_run(world.gen, world.origin.heard == world.origin.expects);
        for (int i = 0; i < 8; i++) {
            assert_ok(loop_turn(world.loop, 0));
        }
        world.moved = false;
        assert_ok(loop_turn(world.loop, 0));
        assert_run(world.gen, !world.moved); /* it rests */
        http_conn_close(&world.device.conn);
        http_conn_close(&world.front.conn);
        http_conn_close(&world.back.conn);
        http_conn_close(&world.origin.conn);
        loop_free(world.loop);
    }
    teardown();
}

TESTS_MAIN(unit(bytes_go_both_ways_through_one_two_and_three_layers),
           unit(what_was_read_before_is_read_first),
           unit(an_end_is_an_end_only_where_the_peer_says_so),
           unit(one_way_may_end_before_the_other),
           unit(a_ticket_does_not_make_a_connection_unquiet_but_a_byte_does),
           unit(a_head_and_its_body_are_one_record_where_they_fit),
           unit(a_device_that_refuses_makes_the_handshake_fail),
           unit(a_connection_without_a_session_stays_as_it_was),
           unit(a_relay_over_TLS_on_both_sides_loses_reorders_and_spins_on_nothing))

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/test.h"

TEST(listening_addresses_are_read_and_printed)
{
    static const struct {
        const char *in, *out; /* NULL: refused */
    } cases[] = {
        {"127.0.0.1:3128", "127.0.0.1:3128"},
        {"[::1]:80", "[::1]:80"},
        {"*:3128", "[::]:3128"},
        {":3128", "[::]:3128"},
        {"0.0.0.0:0", "0.0.0.0:0"},
        {"[2001:db8::1]:65535", "[2001:db8::1]:65535"},
        {"127.0.0.1", NULL},
        {"127.0.0.1:", NULL},
        {"127.0.0.1:65536", NULL},
        {"127.1:80", NULL},
        {"[127.0.0.1]:80", NULL},
        {"::1:80", NULL},
        {"[::1]", NULL},
        {"[::1:80", NULL},
        {"localhost:80", NULL},
        {"", NULL},
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:80", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sock_addr addr;
        char text[SOCK_ADDR_TEXT_MAX];
        enum err err = sock_addr_parse(str_from(cases[i].in), &addr);
        if (cases[i].out == NULL) {
            assert_err(err, ERR_INVALID);
        } else {
            assert_ok(err);
            size_t n = sock_addr_print(&addr, text);
            assert_str_eq(str_make(text, n), str_from(cases[i].out));
        }
    }
}

static void wait_for(int fd, short events)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};
    assert_int_equal(poll(&poll_fd, 1, -1), 1);
}

static void meet(const char *listen_text, const char *connect_ip)
{
    struct sock_addr addr;
    struct sock_addr target;
    struct sock_addr peer;
    struct sock_addr local;
    int listener;
    int client;
    int server;
    assert_ok(sock_addr_parse(str_from(listen_text), &addr));
    assert_ok(sock_listen(&addr, &listener));
    assert_err(sock_accept(listener, &server, &peer), ERR_AGAIN);
    assert_ok(sock_local(listener, &addr));
    assert_ok(sock_addr_parse(str_from(connect_ip), &target));
    target.port = addr.port;
    assert_ok(sock_connect(&target, &client));
    wait_for(client, POLLOUT);
    assert_int_equal(sock_error(client), 0);
    wait_for(listener, POLLIN);
    assert_ok(sock_accept(listener, &server, &peer));
    assert_ok(sock_local(client, &local));
    assert_memory_equal(local.ip, peer.ip, 16);
    assert_int_equal(local.port, peer.port);
    assert_ok(sock_peer(client, &peer));
    assert_memory_equal(peer.ip, target.ip, 16);
    assert_int_equal(peer.port, target.port);
    assert_true((fcntl(server, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(server, F_GETFD) & FD_CLOEXEC) != 0);
    close(server);
    close(client);
    close(listener);
}

TEST(a_client_and_a_listener_meet_in_either_family)
{
    meet("127.0.0.1:0", "127.0.0.1:0");
    meet("[::1]:0", "[::1]:0");
    meet("*:0", "127.0.0.1:0");
    meet("*:0", "[::1]:0");
}

TEST(a_refused_connect_tells_so)
{
    struct sock_addr addr;
    int listener;
    int client;
    assert_ok(sock_addr_parse(STR("127.0.0.1:0"), &addr));
    assert_ok(sock_listen(&addr, &listener));
    assert_ok(sock_local(listener, &addr));
    close(listener);
    assert_ok(sock_connect(&addr, &client));
    wait_for(client, POLLOUT);
    assert_int_equal(sock_error(client), ECONNREFUSED);
    close(client);
}

TEST(a_port_in_use_is_an_error)
{
    struct sock_addr addr;
    int first;
    int second;
    assert_ok(sock_addr_parse(STR("127.0.0.1:0"), &addr));
    assert_ok(sock_listen(&addr, &first));
    assert_ok(sock_local(first, &addr));
    assert_err(sock_listen(&addr, &second), ERR_SYSTEM);
    assert_int_equal(errno, EADDRINUSE);
    close(first);
}

TEST(many_listeners_share_an_address_with_each_other_and_nobody_else)
{
    struct sock_addr addr;
    struct sock_addr local;
    int fds[3];
    int more[2];
    assert_ok(sock_addr_parse(STR("127.0.0.1:0"), &addr));
    assert_ok(sock_listen_many(&addr, 3, fds));
    assert_ok(sock_local(fds[0], &addr));
    for (size_t i = 1; i < 3; i++) {
        assert_ok(sock_local(fds[i], &local));
        assert_int_equal(local.port, addr.port);
    }
    assert_err(sock_listen_many(&addr, 2, more), ERR_SYSTEM);
    assert_int_equal(errno, EADDRINUSE);
    for (size_t i = 0; i < 3; i++) {
        close(fds[i]);
    }
    assert_ok(sock_listen_many(&addr, 2, more));
    close(more[0]);
    close(more[1]);
}

TEST(own_addresses_are_known)
{
    struct sock_addr addr;
    assert_ok(sock_addr_parse(STR("127.0.0.1:0"), &addr));
    assert_true(sock_is_own(addr.ip));
    assert_ok(sock_addr_parse(STR("[::1]:0"), &addr));
    assert_true(sock_is_own(addr.ip));
    assert_ok(sock_addr_parse(STR("[::]:0"), &addr));
    assert_true(sock_is_own(addr.ip));
    assert_ok(sock_addr_parse(STR("192.0.2.1:0"), &addr));
    assert_false(sock_is_own(addr.ip));
}

TEST(a_reset_reaches_the_other_side)
{
    struct sock_addr addr;
    struct sock_addr peer;
    int listener;
    int client;
    int server;
    char byte;
    assert_ok(sock_addr_parse(STR("127.0.0.1:0"), &addr));
    assert_ok(sock_listen(&addr, &listener));
    assert_ok(sock_local(listener, &addr));
    assert_ok(sock_connect(&addr, &client));
    wait_for(listener, POLLIN);
    assert_ok(sock_accept(listener, &server, &peer));
    sock_set_reset(server);
    close(server);
    wait_for(client, POLLIN);
    assert_int_equal(read(client, &byte, 1), -1);
    assert_int_equal(errno, ECONNRESET);
    close(client);
    close(listener);
}

TEST(the_addresses_of_this_machine_are_its_own)
{
    uint8_t ips[16][16];
    size_t n = sock_addresses(ips, 16);
    for (size_t i = 0; i < n; i++) {
        assert_true(sock_is_own(ips[i]));
    }
    assert_true(sock_addresses(ips, 0) == 0);
}

TESTS_MAIN(unit(the_addresses_of_this_machine_are_its_own),
           unit(listening_addresses_are_read_and_printed),
           unit(a_client_and_a_listener_meet_in_either_family), unit(a_refused_connect_tells_so),
           unit(a_port_in_use_is_an_error),
           unit(many_listeners_share_an_address_with_each_other_and_nobody_else),
           unit(own_addresses_are_known), unit(a_reset_reaches_the_other_side))

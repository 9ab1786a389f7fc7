/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/ipc.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/test.h"
#include "os/file.h"

static struct ipc_message out;
static struct ipc_message in;

static void fill(uint32_t type, struct str bytes)
{
    out = (struct ipc_message){.type = type, .len = bytes.len};
    memcpy(out.bytes, bytes.p, bytes.len);
}

TEST(a_message_arrives_whole_and_in_order)
{
    int fds[2];
    assert_ok(ipc_pair(fds));
    assert_err(ipc_receive(fds[1], &in), ERR_AGAIN);
    fill(7, STR("seven"));
    assert_ok(ipc_send(fds[0], &out));
    fill(8, STR("x"));
    out.len = 0;
    assert_ok(ipc_send(fds[0], &out));
    assert_ok(ipc_receive(fds[1], &in));
    assert_int_equal(in.type, 7);
    assert_str_eq(str_make((char *)in.bytes, in.len), STR("seven"));
    assert_ok(ipc_receive(fds[1], &in));
    assert_int_equal(in.type, 8);
    assert_int_equal(in.len, 0);
    out.len = IPC_BYTES_MAX;
    assert_ok(ipc_send(fds[0], &out));
    assert_ok(ipc_receive(fds[1], &in));
    assert_int_equal(in.len, IPC_BYTES_MAX);
    close(fds[0]);
    assert_err(ipc_receive(fds[1], &in), ERR_NOT_FOUND);
    assert_err(ipc_send(fds[1], &out), ERR_NOT_FOUND);
    close(fds[1]);
}

TEST(descriptors_travel_with_a_message)
{
    int fds[2];
    int memory;
    struct buf got;
    assert_ok(ipc_pair(fds));
    assert_ok(file_memory("test", STR("handed over"), &memory));
    fill(1, STR("take this"));
    out.n_fds = 2;
    out.fds[0] = memory;
    out.fds[1] = fds[0];
    assert_ok(ipc_send(fds[0], &out));
    close(memory);
    assert_ok(ipc_receive(fds[1], &in));
    assert_int_equal(in.n_fds, 2);
    assert_true((fcntl(in.fds[0], F_GETFD) & FD_CLOEXEC) != 0);
    buf_init(&got, 100);
    assert_ok(file_read_fd(in.fds[0], &got));
    assert_str_eq(buf_str(&got), STR("handed over"));
    buf_fini(&got);
    int kept = in.fds[0];
    in.fds[0] = -1; /* taken */
    ipc_message_fini(&in);
    assert_int_equal(close(kept), 0);
    close(fds[0]);
    close(fds[1]);
}

static size_t count_fds(void)
{
    size_t n = 0;
    for (int fd = 0; fd < 256; fd++) {
        n += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    }
    return n;
}

TEST(a_message_of_another_shape_is_refused_and_leaks_nothing)
{
    static const char big[IPC_BYTES_MAX + 100];
    int fds[2];
    assert_ok(ipc_pair(fds));
    assert_int_equal(send(fds[0], "abc", 3, 0), 3);
    assert_err(ipc_receive(fds[1], &in), ERR_INVALID);
    assert_int_equal(send(fds[0], big, sizeof(big), 0), sizeof(big));
    assert_err(ipc_receive(fds[1], &in), ERR_INVALID);

    size_t before = count_fds();
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(6 * sizeof(int))];
    } control = {.bytes = {0}};
    struct iovec part = {.iov_base = (char[]){"12345678"}, .iov_len = 8};
    struct msghdr header = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof(control.bytes),
    };
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(6 * sizeof(int));
    for (size_t i = 0; i < 6; i++) {
        memcpy(CMSG_DATA(rights) + i * sizeof(int), &fds[0], sizeof(int));
    }
    assert_int_equal(sendmsg(fds[0], &header, 0), 8);
    assert_err(ipc_receive(fds[1], &in), ERR_INVALID);
    assert_int_equal(count_fds(), before);
    close(fds[0]);
    close(fds[1]);
}

TEST(a_side_that_does_not_read_holds_nobody_up)
{
    int fds[2];
    assert_ok(ipc_pair(fds));
    fill(1, STR("again and again"));
    enum err err = ERR_OK;
    for (int i = 0; i < 100000 && err == ERR_OK; i++) {
        err = ipc_send(fds[0], &out);
    }
    assert_err(err, ERR_AGAIN);
    close(fds[0]);
    close(fds[1]);
}

TESTS_MAIN(unit(a_message_arrives_whole_and_in_order), unit(descriptors_travel_with_a_message),
           unit(a_message_of_another_shape_is_refused_and_leaks_nothing),
           unit(a_side_that_does_not_read_holds_nobody_up))

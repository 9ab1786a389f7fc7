/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dnsstub: a DNS server that answers every A question with one address and every other question
 * with nothing (NOERROR, no records).  It is the upstream of the DNS bench and the name server of
 * proxies under test; it must therefore cost far less than what asks it.
 */
#include "common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum {
    BATCH = 64,
    PACKET_ROOM = 1024,
    HEADER_SIZE = 12,
    QUESTION_TAIL = 4, /* type and class */
    ANSWER_SIZE = 16,
    TYPE_A = 1,
    RECEIVE_BUFFER = 4 * 1024 * 1024,
};

/* Turns the query in `packet` into its answer; 0: not a query, say nothing. */
static size_t answer(uint8_t *packet, size_t length, struct in_addr address)
{
    size_t at = HEADER_SIZE;
    while (at < length && packet[at] != 0) {
        at += packet[at] + 1u;
    }
    at += 1 + QUESTION_TAIL;
    if (length < HEADER_SIZE || at > length || (packet[2] & 0x80) != 0) {
        return 0;
    }
    bool is_a = packet[at - 4] == 0 && packet[at - 3] == TYPE_A;
    packet[2] = (uint8_t)(0x84 | (packet[2] & 0x01)); /* an authoritative answer; keeps RD */
    packet[3] = 0x80;                                 /* RA, NOERROR */
    memset(packet + 6, 0, 6);                         /* no records but the question... */
    if (is_a) {
        /* name: the question's; A; IN; one day; four bytes */
        static const uint8_t record[] = {0xc0, HEADER_SIZE, 0, 1, 0, 1, 0, 1, 0x51, 0x80, 0, 4};
        packet[7] = 1; /* ...or one answer */
        memcpy(packet + at, record, sizeof record);
        memcpy(packet + at + sizeof record, &address, sizeof address);
        at += ANSWER_SIZE;
    }
    return at;
}

static void serve(int fd, struct in_addr address)
{
    static uint8_t packets[BATCH][PACKET_ROOM + ANSWER_SIZE];
    struct sockaddr_in senders[BATCH];
    struct iovec vectors[BATCH];
    struct mmsghdr messages[BATCH];
    for (;;) {
        memset(messages, 0, sizeof messages);
        for (size_t i = 0; i < BATCH; i++) {
            vectors[i] = (struct iovec){.iov_base = packets[i], .iov_len = PACKET_ROOM};
            messages[i].msg_hdr = (struct msghdr){.msg_name = &senders[i],
                                                  .msg_namelen = sizeof senders[i],
                                                  .msg_iov = &vectors[i],
                                                  .msg_iovlen = 1};
        }
        int received = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
        for (int i = 0; i < received; i++) {
            vectors[i].iov_len = answer(packets[i], messages[i].msg_len, address);
            if (vectors[i].iov_len > 0) {
                sendmsg(fd, &messages[i].msg_hdr, 0);
            }
        }
    }
}

int main(int argc, char **argv)
{
    struct in_addr address;
    if (argc != 3 || inet_pton(AF_INET, argv[2], &address) != 1) {
        errno = 0;
        die("usage: dnsstub ADDRESS:PORT ANSWER_ADDRESS");
    }
    struct sockaddr_in here = parse_address(argv[1]);
    int size = RECEIVE_BUFFER;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (bind(fd, (struct sockaddr *)&here, sizeof here) != 0) {
        die("%s", argv[1]);
    }
    serve(fd, address);
}

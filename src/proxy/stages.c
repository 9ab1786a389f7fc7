/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The stages of a connection as a table: who is called when its socket, its origin's or its timer
 * has news. An empty place means that such news cannot come then, or is only remembered
 * (http_conn). */
#include "proxy/proxy_impl.h"

const struct stage_row stages[STAGE_COUNT_] = {
    [STAGE_HEAD] = {"head", client_run, NULL, client_late},
    [STAGE_AUTH] = {"auth", client_watch, NULL, identify_late},
    [STAGE_DIAL] = {"dial", client_watch, dial_on_origin, dial_late},
    [STAGE_RELAY] = {"relay", relay_on_client, relay_on_origin, relay_late},
    [STAGE_PAGE] = {"page", client_on_page, NULL, client_late},
    [STAGE_LINGER] = {"linger", client_on_linger, NULL, client_late},
    [STAGE_HELLO] = {"hello", tunnel_on_hello, tunnel_on_hello_origin, tunnel_hello_late},
    [STAGE_TUNNEL] = {"tunnel", tunnel_on_client, tunnel_on_origin, tunnel_late},
    [STAGE_FIRST] = {"first", inspect_on_first, NULL, inspect_first_late},
    [STAGE_LEAF] = {"leaf", inspect_on_leaf, NULL, inspect_late, inspect_leaf_came},
    [STAGE_TLS] = {"tls", inspect_on_tls, NULL, inspect_late},
    [STAGE_FRONT] = {"front", front_on_client, NULL, front_late},
    [STAGE_OUTER_HELLO] = {"outer-hello", outer_on_hello, NULL, outer_late},
    [STAGE_OUTER_LEAF] = {"outer-leaf", outer_on_leaf, NULL, outer_late, outer_leaf_came},
    [STAGE_OUTER_TLS] = {"outer-tls", outer_on_tls, NULL, outer_late},
    [STAGE_CLOSED] = {"closed", NULL, NULL, NULL},
};

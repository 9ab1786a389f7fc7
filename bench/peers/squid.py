# SPDX-License-Identifier: GPL-3.0-or-later
"""squid as a plain forward proxy: one process, no cache, no logs.

Two settings keep it stable, and they matter more than all the others together.  The defaults of
`url_rewrite_extras` and `store_id_extras` hold %>A, the client's host name, and for its sake squid
looks up the address of every client, even when no rewriter is set.  If the name server does not
answer, the lookups pile up (see squid's page `mgr:idns`): within seconds of load the CPU time of a
request grew tenfold, and memory with it.  So %>A is out of both, and the name server is a stub that
answers at once.
"""
from benchlib import world as bench_world
from peers import Peer

CONFIG = """\
http_port 127.0.0.1:{port}{port_options}
visible_hostname bench
acl everyone src all
http_access allow everyone

# Names: the hosts file, and a name server that answers at once.
{hosts_line}
dns_nameservers {name_server}
url_rewrite_extras "%>a/- %un %>rm"
store_id_extras "%>a/- %un %>rm"

# A proxy, not a cache; nothing written but what must be.
cache deny all
cache_mem 8 MB
access_log none
cache_store_log none
cache_log {folder}/cache.log
pid_filename {folder}/squid.pid
coredump_dir {folder}
netdb_filename none
pinger_enable off
via off
forwarded_for delete
client_db off
max_filedescriptors 16384
request_timeout 10 minutes
shutdown_lifetime 1 seconds
{more}
"""


class Squid(Peer):
    packages = "squid-openssl"
    port_options = ""

    def more(self):
        """Lines that a variant adds."""
        return ""

    def prepare(self):
        hosts = self.world.hosts_file
        config = self.folder / "squid.conf"
        config.write_text(CONFIG.format(
            port=self.port, port_options=self.port_options, folder=self.folder,
            hosts_line=f"hosts_file {hosts}" if hosts else "hosts_file none",
            name_server=bench_world.NAME_SERVER, more=self.more()))
        return ["squid", "-N", "-f", config]


THE_PEER = Squid

#!/bin/sh
# xinetd, which tells the time by itself. The port is $2 at the address $1; $3 is an empty folder.
set -eu
cat > "$3/xinetd.conf" <<EOF
service daytime
{
    type = INTERNAL UNLISTED
    socket_type = stream
    protocol = tcp
    port = $2
    bind = $1
    user = $(id -un)
    wait = no
    instances = UNLIMITED
    per_source = UNLIMITED
    cps = 10000 1
    log_type = FILE $3/log
}
EOF
exec xinetd -dontfork -f "$3/xinetd.conf" -pidfile "$3/pid"

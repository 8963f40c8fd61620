#!/bin/sh
# Exim, which keeps what it is given. The port is $2 at the address $1; $3 is an empty folder.
set -eu
cd "$3"
chmod 755 .
mkdir -m 1777 spool
# Exim wants a user Debian-exim, which is there only where it was installed: libnss_wrapper, if it is there, makes one.
user=$(id -u)
[ "$user" -ne 0 ] || user=65534
printf 'Debian-exim:x:%d:%d::/:/bin/sh\nroot:x:0:0::/:/bin/sh\n' "$user" "$user" > passwd
printf 'Debian-exim:x:%d:\nroot:x:0:\n' "$user" > group
cat > conf <<EOF
spool_directory = $3/spool
log_file_path = $3/spool/log.%s
pid_file_path = $3/spool/pid
primary_hostname = mx.test
local_interfaces = $1
daemon_smtp_ports = $2
keep_environment =
tls_advertise_hosts =
pipelining_connect_advertise_hosts =
queue_only
acl_smtp_rcpt = accept
begin routers
EOF
export LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_PASSWD="$3/passwd" NSS_WRAPPER_GROUP="$3/group"
exec exim4 -C "$3/conf" -bdf

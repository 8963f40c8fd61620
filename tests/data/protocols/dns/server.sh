#!/bin/sh
# dnsmasq, which knows one name. The port is $2 at the address $1.
exec dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file= --user="$(id -un)" --group="$(id -gn)" \
  --listen-address="$1" --bind-interfaces --port="$2" --no-resolv --no-hosts --host-record=host.test,192.0.2.1

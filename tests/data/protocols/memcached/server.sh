#!/bin/sh
# memcached. The port is $2 at the address $1.
exec memcached -l "$1" -p "$2" -U 0 -m 16 -t 2 -u "$(id -un)"

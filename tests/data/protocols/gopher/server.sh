#!/bin/sh
# Gophernicus with one file; socat starts one for each connection. The port is $2 at the address $1; $3 is an empty
# folder.
set -eu
mkdir "$3/gopher"
printf 'hello\n' > "$3/gopher/hello.txt"
chmod -R a+rX "$3"
as=
[ "$(id -u)" -ne 0 ] || as="setpriv --reuid=65534 --regid=65534 --clear-groups" # it refuses to be root
exec $as socat "TCP-LISTEN:$2,bind=$1,reuseaddr,fork" \
  "EXEC:gophernicus -nf -nu -nv -nx -nm -h localhost -p $2 -r $3/gopher,nofork"

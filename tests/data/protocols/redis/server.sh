#!/bin/sh
# Redis. The port is $2 at the address $1; $3 is an empty folder.
exec redis-server --bind "$1" --port "$2" --dir "$3" --save ''

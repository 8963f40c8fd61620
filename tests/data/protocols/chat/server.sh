#!/bin/sh
# ncat as a chat server. The port is $2 at the address $1.
exec ncat --listen "$1" "$2" --chat

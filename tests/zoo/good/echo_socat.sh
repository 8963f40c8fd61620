#!/bin/bash
# echo: socat, and a cat for each connection. The script waits for socat, and passes SIGTERM on to it.
trap 'kill -TERM "$server"; wait "$server"; exit 143' TERM
socat -t 60 "TCP-LISTEN:$2,bind=$1,reuseaddr,fork,backlog=64" EXEC:cat &
server=$!
wait "$server"

#!/bin/sh
# Python's http.server with one file. The port is $2 at the address $1; $3 is an empty folder, $4 Python.
set -eu
printf 'hello\n' > "$3/hello.txt"
exec "$4" -m http.server -b "$1" -d "$3" "$2"

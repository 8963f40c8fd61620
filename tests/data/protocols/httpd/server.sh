#!/bin/sh
# BusyBox's httpd with one file. The port is $2 at the address $1; $3 is an empty folder.
set -eu
mkdir "$3/www"
printf 'hello\n' > "$3/www/hello.txt"
exec busybox httpd -f -p "$1:$2" -h "$3/www"

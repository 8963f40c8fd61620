#!/bin/sh
# mosquitto. The port is $2 at the address $1; $3 is an empty folder.
set -eu
printf 'listener %s %s\nallow_anonymous true\nuser %s\n' "$2" "$1" "$(id -un)" > "$3/mosquitto.conf"
exec mosquitto -c "$3/mosquitto.conf"

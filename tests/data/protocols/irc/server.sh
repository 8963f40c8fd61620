#!/bin/sh
# ngIRCd. The port is $2 at the address $1; $3 is an empty folder.
set -eu
cat > "$3/ngircd.conf" <<EOF
[Global]
Name = irc.test
Info = a server for tests
Listen = $1
Ports = $2
ServerUID = $(id -un)
ServerGID = $(id -gn)
MotdPhrase = be kind
PidFile = $3/pid
[Limits]
MaxConnectionsIP = 0
[Options]
DNS = no
Ident = no
PAM = no
EOF
exec ngircd -n -f "$3/ngircd.conf"

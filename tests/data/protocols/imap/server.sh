#!/bin/sh
# Dovecot's IMAP: what ../pop3/server.sh says.
exec sh "$(dirname "$0")/../pop3/server.sh" "$1" "$2" "$3" imap

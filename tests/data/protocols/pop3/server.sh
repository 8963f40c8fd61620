#!/bin/sh
# Dovecot with a mailbox for joe, password secret. The port is $2 at the address $1; $3 is an empty folder; $4 may say
# imap in place of pop3.
set -eu
protocol=${4:-pop3}
mkdir -p "$3/run" "$3/state" "$3/joe/cur" "$3/joe/new" "$3/joe/tmp"
printf 'Subject: dots\n\n.. and more\n.hidden\n.\nthe end\n' > "$3/joe/cur/1.first.test:2,"
printf 'Subject: second\n\nshort\n' > "$3/joe/cur/2.second.test:2,"
echo 'joe:{PLAIN}secret' > "$3/passwd"
# Neither Dovecot's logins nor a mailbox are for root: then nobody has all of it.
as=
if [ "$(id -u)" -eq 0 ]; then
  chown -R 65534:65534 "$3"
  as="setpriv --reuid=65534 --regid=65534 --clear-groups"
fi
user=$($as id -un)
group=$($as id -gn)
# The programs that it starts lie elsewhere where its package was only unpacked.
programs=${UNPACKED:-}/usr/lib/dovecot
[ -d "$programs" ] || programs=/usr/lib/dovecot
version=$(dovecot --version)
case $version:$programs in
2.3*:* | *:/usr/lib/dovecot) ;;
*)
  echo "Dovecot $version must be installed, not only unpacked: its logins load /usr/lib/dovecot/modules" >&2
  exit 1
  ;;
esac

cat > "$3/dovecot.conf" <<EOF
$(case $version in
2.3*)
  cat <<OLD
protocols = $protocol
import_environment = \$import_environment LD_LIBRARY_PATH
disable_plaintext_auth = no
mail_location = maildir:$3/joe
passdb {
  driver = passwd-file
  args = $3/passwd
}
userdb {
  driver = static
  args = uid=$user gid=$group home=$3/joe
}
OLD
  ;;
*)
  cat <<NEW
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols {
  $protocol = yes
}
import_environment {
  LD_LIBRARY_PATH = ${LD_LIBRARY_PATH:-}
}
auth_allow_cleartext = yes
mail_driver = maildir
mail_path = $3/joe
passdb passwd-file {
  passwd_file_path = $3/passwd
}
userdb static {
  fields {
    uid = $user
    gid = $group
    home = $3/joe
  }
}
NEW
  ;;
esac)
base_dir = $3/run
state_dir = $3/state
libexec_dir = $programs
mail_plugin_dir = $programs/modules
login_plugin_dir = $programs/modules/login
log_path = /dev/stderr
listen = $1
ssl = no
default_internal_user = $user
default_login_user = $user
default_internal_group = $group
first_valid_uid = $($as id -u)
last_valid_uid = 0
first_valid_gid = $($as id -g)
service anvil {
  chroot =
}
service stats {
  chroot =
}
service $protocol-login {
  chroot =
  inet_listener $protocol {
    port = $2
  }
  inet_listener ${protocol}s {
    port = 0
  }
}
EOF
# Dovecot would ask /usr/bin/doveconf for its configuration, which need not be there. So doveconf is asked to run it.
case $version in
2.3*) set -- "$3" -m master -e ;;
*) set -- "$3" -F -- ;;
esac
conf=$1/dovecot.conf
shift
exec $as doveconf -c "$conf" "$@" "$(command -v dovecot)" -F -c "$conf"

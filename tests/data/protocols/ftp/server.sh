#!/bin/sh
# vsftpd with one file for everybody. The port is $2 at the address $1; $3 is an empty folder.
set -eu
mkdir "$3/empty" "$3/ftp"
printf 'hello ftp\n' > "$3/ftp/hello.txt"
chmod 555 "$3/ftp"
cat > "$3/vsftpd.conf" <<EOF
listen=YES
background=NO
listen_address=$1
listen_port=$2
run_as_launching_user=YES
ftp_username=$(id -un)
nopriv_user=$(id -un)
anonymous_enable=YES
local_enable=NO
write_enable=NO
no_anon_password=YES
anon_root=$3/ftp
secure_chroot_dir=$3/empty
ftpd_banner=files for everybody
connect_from_port_20=NO
xferlog_enable=NO
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
EOF
exec vsftpd "$3/vsftpd.conf"

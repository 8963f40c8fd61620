#!/bin/sh
# nginx with two files. The port is $2 at the address $1; $3 is an empty folder.
set -eu
mkdir -p "$3/www" "$3/tmp"
printf 'hello\n' > "$3/www/hello.txt"
head -c 300000 /dev/zero | tr '\0' x > "$3/www/large.txt"
cat > "$3/nginx.conf" <<EOF
daemon off;
master_process off;
pid $3/nginx.pid;
events { }
http {
  access_log off;
  client_body_temp_path $3/tmp/body;
  proxy_temp_path $3/tmp/proxy;
  fastcgi_temp_path $3/tmp/fastcgi;
  uwsgi_temp_path $3/tmp/uwsgi;
  scgi_temp_path $3/tmp/scgi;
  default_type text/plain;
  server { listen $1:$2; root $3/www; }
}
EOF
exec nginx -p "$3" -c "$3/nginx.conf" -e stderr

#!/bin/sh
# beanstalkd. The port is $2 at the address $1.
exec beanstalkd -l "$1" -p "$2"

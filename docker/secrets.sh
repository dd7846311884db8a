#!/bin/sh
# Makes the passwords that compose.yaml mounts, in the folder secrets beside this file or in the
# one that is named. What is there is kept.
set -eu

folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
# The folder keeps other users out; the containers' users must read the files in it.
chmod 700 "$folder"
umask 022
cd "$folder"

password() {
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

[ -s postgres ] || password > postgres
[ -s bot ] || password > bot
if ! [ -s subscriber ]; then
    {
        echo "username(str) domain(str) password(str)"
        echo "bot:office.example:$(cat bot)"
        echo "101:office.example:$(password)"
        echo "102:office.example:$(password)"
    } > subscriber
fi
echo "the phones' users and passwords: $(pwd)/subscriber"
